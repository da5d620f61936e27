-- grain: one row per model, attempt that it was trained on directly (not through its parent), and role
SELECT
    m.run, m.round, m.id AS model_id, m.objective, 'example' AS role, e.attempt_id, e.problem_id, e.prompt,
    e.completion
FROM models m
JOIN examples e ON e.run = m.run AND e.round = m.round AND e.dataset_id = m.dataset_id
UNION
SELECT m.run, m.round, m.id, m.objective, 'chosen', p.chosen_id, p.problem_id, p.prompt, p.chosen
FROM models m
JOIN pairs p ON p.run = m.run AND p.round = m.round AND p.dataset_id = m.dataset_id
UNION
SELECT m.run, m.round, m.id, m.objective, 'rejected', p.rejected_id, p.problem_id, p.prompt, p.rejected
FROM models m
JOIN pairs p ON p.run = m.run AND p.round = m.round AND p.dataset_id = m.dataset_id
