-- grain: one row per run, round, model, attempt that it was trained on directly (not through its parent), and role
-- round: round in which the model was trained
-- model_id: the model
SELECT
    m.run, m.round, m.id AS model_id, m.objective, d.role, d.attempt_id, d.problem_id, d.prompt, d.completion
FROM models m
JOIN members d ON d.run = m.run AND d.round = m.round AND d.dataset_id = m.dataset_id
