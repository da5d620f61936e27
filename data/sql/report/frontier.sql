-- grain: one row per domain and level: pass@1 of the first and of the last model of the run
WITH measured AS (
    SELECT model_id, domain, level, arg_max(band, round) AS band, arg_max(value, round) AS value
    FROM scores
    WHERE run = $run AND level > 0 AND metric = 'pass@k' AND k = 1
    GROUP BY model_id, domain, level
)
SELECT f.domain, f.level, f.band, f.value AS before, l.value AS after, l.value - f.value AS gain
FROM ends e
JOIN measured f ON f.model_id = e.first_id
LEFT JOIN measured l ON l.model_id = e.last_id AND l.domain = f.domain AND l.level = f.level
WHERE e.run = $run
ORDER BY f.domain, f.level
