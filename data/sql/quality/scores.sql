-- grain: one row per score of the round before $round
SELECT model_id, domain, level, band, metric, k, value, low, high, problems, samples
FROM scores
WHERE round = $round - 1
