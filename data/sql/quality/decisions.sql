-- grain: one row per decision of round $round, and one per attempt of the round without any (its reason is NULL)
SELECT
    coalesce(d.attempt_id, k.attempt_id) AS attempt_id, d.problem_id, d.kept, d.reason,
    k.problem_id AS tried_problem, k.outcome
FROM (SELECT * FROM decisions WHERE round = $round) d
FULL JOIN (SELECT * FROM known WHERE round = $round) k USING (attempt_id)
