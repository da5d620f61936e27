-- grain: one row per kind of stage, and one over all of them (NULL): seconds, of which start-up, and tokens
WITH kinds AS (
    SELECT regexp_replace(stage, '-[0-9a-f]{16}', '') AS kind, seconds, startup_seconds, tokens
    FROM timings
    WHERE run = $run
)
SELECT
    kind AS stage, count(*) AS times, sum(seconds) AS seconds, sum(startup_seconds) AS startup,
    sum(tokens)::BIGINT AS tokens,
    sum(tokens) / nullif(sum(seconds - startup_seconds) FILTER (tokens > 0), 0) AS tokens_per_second
FROM kinds
GROUP BY GROUPING SETS ((kind), ())
HAVING count(*) > 0
ORDER BY kind IS NULL, seconds DESC, kind
