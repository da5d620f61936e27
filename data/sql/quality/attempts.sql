-- grain: one row per attempt of round $round, with its newest verdict
SELECT
    attempt_id, problem_id, model_id, split, finish, tokens, outcome,
    (finish = 'length')::INTEGER AS truncated,
    (outcome = 'correct')::INTEGER AS accepted,
    (outcome = 'unverified')::INTEGER AS unverified,
    model_id IN (SELECT id FROM models) AS model_known
FROM known
WHERE round = $round
