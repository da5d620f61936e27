-- grain: one row per example of round $round, with what is known of the attempt it came from (NULL: nothing)
WITH members AS (
    SELECT
        dataset_id, attempt_id, problem_id, md5_number(prompt || chr(0) || completion) AS same,
        prompt IS NULL OR completion IS NULL AS no_text,
        NOT regexp_matches(completion, '[^\s\p{Z}]') AS blank,
        prompt IN (SELECT prompt FROM leaked) AS held_out
    FROM examples
    WHERE round = $round
),
newest AS ( -- an attempt at a problem that is tried again has the same id
    SELECT DISTINCT ON (attempt_id) *
    FROM known
    WHERE attempt_id IN (SELECT attempt_id FROM members)
    ORDER BY attempt_id, round DESC
)
SELECT
    e.*, n.attempt_id IS NULL AS orphan, n.problem_id AS tried_problem,
    n.model_id, n.domain, n.level, n.split, n.finish, n.outcome, n.wrong_steps,
    n.model_id IN (SELECT id FROM models) AS model_known,
    e.attempt_id IN (SELECT attempt_id FROM decisions WHERE kept AND round >= $oldest) AS kept
FROM members e
LEFT JOIN newest n USING (attempt_id)
