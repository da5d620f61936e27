-- grain: one row per run that measured a model: the one it began with, and the one it ended with
-- first_id: model that the run began with
-- last_id: model that the run ended with: the last one promoted, else the one it began with
WITH measured AS (
    SELECT run, arg_min(model_id, round) AS model_id
    FROM scores
    GROUP BY run
),
decided AS (
    SELECT
        run, arg_min(incumbent_id, round) AS first_id,
        arg_max(challenger_id, round) FILTER (promoted) AS last_id
    FROM rounds
    GROUP BY run
)
SELECT
    m.run, coalesce(d.first_id, m.model_id) AS first_id, coalesce(d.last_id, d.first_id, m.model_id) AS last_id
FROM measured m
LEFT JOIN decided d ON d.run = m.run
ORDER BY m.run
