-- grain: one row per run, round, fate and reason of the attempts that were curated
SELECT
    run, round, kept, reason, count(*) AS attempts,
    count(*) / sum(count(*)) OVER (PARTITION BY run, round) AS share
FROM decisions
GROUP BY run, round, kept, reason
ORDER BY run, round, kept DESC, attempts DESC, reason
