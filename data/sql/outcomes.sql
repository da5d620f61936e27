-- grain: one row per run, round, domain and outcome
SELECT run, round, domain, outcome, count(*) AS attempts, round(avg(ms), 3) AS mean_ms
FROM judged
GROUP BY run, round, domain, outcome
ORDER BY run, round, domain, outcome
