-- grain: one row per attempt of round $round: kept by chance, as many of a domain and level as `decided` keeps
WITH sizes AS (
    SELECT a.domain, a.level, count(*) AS n
    FROM decided d
    JOIN attempted a USING (attempt_id)
    WHERE d.kept
    GROUP BY a.domain, a.level
),
pool AS ( -- what would spoil the comparison stays out of both arms
    SELECT a.attempt_id, a.domain, a.level, md5_number_lower($seed || 'control' || a.attempt_id) AS lot
    FROM decided d
    JOIN attempted a USING (attempt_id)
    WHERE a.fault IS NULL AND d.reason NOT IN ('contaminated', 'truncated', 'duplicate', 'used before')
    QUALIFY row_number() OVER (PARTITION BY md5_number(concat_ws(chr(31), a.prompt, a.text)) ORDER BY lot) = 1
),
drawn AS (
    SELECT attempt_id, true AS kept
    FROM pool
    JOIN sizes USING (domain, level)
    QUALIFY row_number() OVER (PARTITION BY domain, level ORDER BY lot, attempt_id) <= n
)
SELECT
    d.attempt_id, d.problem_id, coalesce(c.kept, false) AS kept,
    CASE WHEN c.kept THEN 'kept' WHEN d.kept OR p.attempt_id IS NOT NULL THEN 'not drawn' ELSE d.reason END AS reason,
    d.sound
FROM decided d
LEFT JOIN pool p USING (attempt_id)
LEFT JOIN drawn c USING (attempt_id)
WHERE $round >= 0
