-- grain: one row per run, round and dataset
-- dataset_id: hash of the members of the dataset
-- kind: examples or pairs
-- members: examples, or pairs
-- problems: different problems that they answer
-- models: models trained on it in that round, in order of their ids; empty: none
WITH counted AS (
    SELECT run, round, dataset_id, 'examples' AS kind, count(*) AS members, count(DISTINCT problem_id) AS problems
    FROM examples
    GROUP BY run, round, dataset_id
    UNION ALL
    SELECT run, round, dataset_id, 'pairs', count(*), count(DISTINCT problem_id)
    FROM pairs
    GROUP BY run, round, dataset_id
),
trained AS (
    SELECT run, round, dataset_id, list(id ORDER BY id) AS models
    FROM models
    GROUP BY run, round, dataset_id
)
SELECT c.*, coalesce(t.models, []) AS models
FROM counted c
LEFT JOIN trained t ON t.run = c.run AND t.round = c.round AND t.dataset_id = c.dataset_id
