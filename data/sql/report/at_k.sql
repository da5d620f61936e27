-- grain: one row per metric (pass@k, maj@k) and k, with 95 % intervals: the first and the last model of the run
WITH measured AS (
    SELECT model_id, metric, k, band, value, low, high
    FROM scores
    WHERE run = $run AND domain = 'all' AND metric IN ('pass@k', 'maj@k') AND band IN ('middle+hard', 'all')
    QUALIFY row_number() OVER (PARTITION BY model_id, metric, k ORDER BY band = 'all', round DESC) = 1
)
SELECT
    f.metric, f.k, CASE f.band WHEN 'middle+hard' THEN 'middle and hard' ELSE f.band END AS levels,
    f.value AS before, f.low AS before_low, f.high AS before_high,
    l.value AS after, l.low AS after_low, l.high AS after_high
FROM ends e
JOIN measured f ON f.model_id = e.first_id
LEFT JOIN measured l ON l.model_id = e.last_id AND l.metric = f.metric AND l.k = f.k
WHERE e.run = $run
ORDER BY f.metric DESC, f.k
