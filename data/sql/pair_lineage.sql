-- grain: one row per run, round and preference pair, with what is known of its two attempts (NULL: nothing)
-- problem_id: problem of the pair
-- prompt: the question as a model sees it
-- chosen_outcome: of the chosen attempt; NULL: nothing is known of it
-- chosen_wrong_steps: checked steps of the chosen attempt that are incorrect
-- split: train or heldout: of the problem
-- rejected_outcome: of the rejected attempt, or lucky: correct with a wrong step
-- same_problem: whether both attempts are of the problem of the pair; NULL: one is unknown
SELECT
    p.run, p.round, p.dataset_id, p.problem_id, p.chosen_id, p.rejected_id, p.prompt, p.chosen, p.rejected,
    c.outcome AS chosen_outcome, c.wrong_steps AS chosen_wrong_steps, c.split,
    CASE WHEN r.lucky THEN 'lucky' ELSE r.outcome END AS rejected_outcome,
    c.problem_id = p.problem_id AND r.problem_id = p.problem_id AS same_problem
FROM pairs p
LEFT JOIN judged c ON c.run = p.run AND c.round = p.round AND c.attempt_id = p.chosen_id
LEFT JOIN judged r ON r.run = p.run AND r.round = p.round AND r.attempt_id = p.rejected_id
