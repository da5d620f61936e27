-- grain: one row per model of the run: what it was trained from and on, who wrote that, how it scored, its fate
WITH measured AS (
    SELECT model_id, arg_max(value, round) AS pass1
    FROM scores
    WHERE run = $run AND domain = 'all' AND band = 'all' AND metric = 'pass@k' AND k = 1
    GROUP BY model_id
),
members AS (
    SELECT round, dataset_id, sum(members)::BIGINT AS members, any_value(kind) AS kind
    FROM datasets
    WHERE run = $run
    GROUP BY round, dataset_id
)
SELECT
    m.round, m.id AS model_id, m.parent_id, m.objective, r.incumbent_id AS written_by, d.members, d.kind, m.dataset_id,
    s.pass1,
    CASE
        WHEN m.objective = 'given' THEN 'given'
        WHEN r.round IS NULL THEN 'not decided'
        WHEN r.challenger_id <> m.id THEN 'on the way'
        WHEN r.promoted THEN 'promoted'
        ELSE 'not promoted'
    END AS fate
FROM models m
LEFT JOIN rounds r ON r.run = m.run AND r.round = m.round
LEFT JOIN members d ON d.round = m.round AND d.dataset_id = m.dataset_id
LEFT JOIN measured s ON s.model_id = m.id
WHERE m.run = $run
ORDER BY m.round, m.seconds, m.id
