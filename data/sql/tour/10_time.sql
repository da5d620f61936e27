-- question: Where did the time go?
-- look: at the largest share; startup is what engines and libraries took to start.
SELECT
    regexp_replace(stage, '-[0-9a-f]{16}$', '') AS stage, count(*) AS times, sum(seconds) AS seconds,
    sum(seconds) / sum(sum(seconds)) OVER () AS share, sum(startup_seconds) AS startup, sum(tokens)::BIGINT AS tokens
FROM timings
WHERE run = $run
GROUP BY ALL
ORDER BY seconds DESC, stage
