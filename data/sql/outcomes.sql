-- grain: one row per run, round, domain and outcome
-- domain: family of the problems; NULL: unknown
-- outcome: correct, incorrect, no_answer or unverified; NULL: not judged
-- attempts: attempts with that outcome
-- mean_ms: mean time a verdict took, in milliseconds
SELECT run, round, domain, outcome, count(*) AS attempts, round(avg(ms), 3) AS mean_ms
FROM judged
GROUP BY run, round, domain, outcome
ORDER BY run, round, domain, outcome
