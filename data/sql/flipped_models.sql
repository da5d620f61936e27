-- grain: one row per model and role, trained directly on attempts whose review says otherwise; share: of its dataset
-- round: round in which the model was trained
-- role: how it was trained on them: example, chosen or rejected
-- flipped: attempts whose review says otherwise
-- share: of the members of its dataset, 0 to 1
-- promoted: whether the model took the place of the incumbent; NULL: not decided
WITH sizes AS (
    SELECT run, round, dataset_id, count(*) AS members FROM examples GROUP BY run, round, dataset_id
    UNION ALL
    SELECT run, round, dataset_id, count(*) FROM pairs GROUP BY run, round, dataset_id
)
SELECT
    f.run, f.used_in_round AS round, f.model_id, f.role, count(DISTINCT f.attempt_id) AS flipped,
    count(DISTINCT f.attempt_id) / any_value(s.members) AS share, any_value(r.promoted) AS promoted
FROM flips f
JOIN sizes s ON s.run = f.run AND s.round = f.used_in_round AND s.dataset_id = f.dataset_id
LEFT JOIN rounds r ON r.run = f.run AND r.round = f.used_in_round
WHERE f.model_id IS NOT NULL
GROUP BY f.run, f.used_in_round, f.model_id, f.role
ORDER BY f.run, round, f.model_id, f.role
