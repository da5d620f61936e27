-- macro: trained_on(attempt)
-- grain: one row per run, model that saw this attempt in training, itself or through an ancestor, and role
-- run: name of the run
-- round: round in which the model was trained
-- model_id: the model
-- role: what the attempt was in the training that saw it first: example, chosen or rejected
-- depth: trainings between that one and the model; 0: the model itself was trained on it
-- promoted: whether the model took the incumbent's place; NULL: not decided
WITH RECURSIVE seen(run, round, model_id, role, depth, path) AS (
    SELECT m.run, m.round, m.id, d.role, 0, [m.id]
    FROM members d
    JOIN models m ON m.run = d.run AND m.round = d.round AND m.dataset_id = d.dataset_id
    WHERE d.attempt_id = attempt
    UNION ALL
    SELECT m.run, m.round, m.id, s.role, s.depth + 1, list_append(s.path, m.id)
    FROM seen s
    JOIN models m ON m.run = s.run AND m.parent_id = s.model_id AND NOT list_contains(s.path, m.id)
),
nearest AS (
    SELECT run, model_id, role, min(depth) AS depth, arg_min(round, depth) AS round
    FROM seen
    GROUP BY run, model_id, role
)
SELECT n.run, n.round, n.model_id, n.role, n.depth, r.promoted
FROM nearest n
LEFT JOIN rounds r ON r.run = n.run AND r.round = n.round AND r.challenger_id = n.model_id
ORDER BY n.run, n.depth, n.round, n.role
