-- grain: one row per run, round and example, with what is known of the attempt it came from (NULL: nothing)
-- attempt_id: attempt that it was taken from
-- problem_id: problem that it answers
-- prompt: the question as a model sees it
-- outcome: of the attempt; NULL: nothing is known of it
-- wrong_steps: checked steps of the attempt that are incorrect
-- finish: how the attempt ended: stop, length or abort
-- split: train or heldout: of the problem
WITH known AS (
    SELECT DISTINCT ON (run, attempt_id) run, attempt_id, outcome, wrong_steps, finish, split
    FROM judged
    ORDER BY run, attempt_id, round
)
SELECT
    e.run, e.round, e.dataset_id, e.attempt_id, e.problem_id, e.prompt, e.completion,
    k.outcome, k.wrong_steps, k.finish, k.split
FROM examples e
LEFT JOIN known k ON k.run = e.run AND k.attempt_id = e.attempt_id
