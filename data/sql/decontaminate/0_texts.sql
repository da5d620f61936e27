-- grain: one row per train problem of the round (`benchmark` is empty), held-out problem, and text of a benchmark
SELECT '' AS benchmark, id, any_value(prompt) AS text
FROM problems
WHERE split = 'train' AND round IN (0, $round) -- an import is round 0, and later rounds replay it
GROUP BY id
UNION ALL
SELECT benchmark, id, any_value(prompt)
FROM (
    SELECT 'held-out' AS benchmark, id, prompt FROM eval_problems
    UNION ALL
    SELECT benchmark, id, prompt FROM benchmarks
)
GROUP BY benchmark, id
