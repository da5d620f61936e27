-- macro: lineage(model)
-- grain: one row per run and model on the way from this one back to the one that was given; itself first
-- run: name of the run
-- depth: trainings between it and this model; 0: itself
-- round: round in which it was trained, or 0
-- model_id: the model
-- parent_id: model that its training started from; empty: given, not trained here
-- objective: how it was trained: a file of tasks/objectives/; given: not here
-- dataset_id: dataset that it was trained on; empty: none known
-- members: rows of that dataset; NULL: it is not in the ledger
-- pass1: held-out pass@1 over all levels, each with the same weight, 0 to 1; NULL: not measured
-- promoted: whether it took the incumbent's place; NULL: not decided
WITH RECURSIVE up(run, depth, round, model_id, parent_id, objective, dataset_id, path) AS (
    SELECT run, 0, round, id, parent_id, objective, dataset_id, [id]
    FROM models
    WHERE id = model
    UNION ALL
    SELECT m.run, u.depth + 1, m.round, m.id, m.parent_id, m.objective, m.dataset_id, list_append(u.path, m.id)
    FROM up u
    JOIN models m ON m.run = u.run AND m.id = u.parent_id AND NOT list_contains(u.path, m.id)
),
measured AS (
    SELECT run, model_id, arg_max(value, round) AS pass1
    FROM scores
    WHERE domain = 'all' AND band = 'all' AND metric = 'pass@k' AND k = 1
    GROUP BY run, model_id
)
SELECT
    u.run, u.depth, u.round, u.model_id, u.parent_id, u.objective, u.dataset_id, d.members, s.pass1, r.promoted
FROM up u
LEFT JOIN datasets d ON d.run = u.run AND d.round = u.round AND d.dataset_id = u.dataset_id
LEFT JOIN measured s ON s.run = u.run AND s.model_id = u.model_id
LEFT JOIN rounds r ON r.run = u.run AND r.round = u.round AND r.challenger_id = u.model_id
ORDER BY u.run, u.depth, u.round
