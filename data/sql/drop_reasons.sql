-- grain: one row per run, round, fate and reason of the attempts that were curated
-- attempts: attempts with that fate and reason
-- share: of the attempts of that run and round, 0 to 1
SELECT
    run, round, kept, reason, count(*) AS attempts,
    count(*) / sum(count(*)) OVER (PARTITION BY run, round) AS share
FROM decisions
GROUP BY run, round, kept, reason
ORDER BY run, round, kept DESC, attempts DESC, reason
