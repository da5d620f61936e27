-- grain: one row per pair to compare: each with the four before it in a drawer and with the drawer's first
-- A full drawer costs no more than that: two that are near only to each other may miss each other in it.
WITH shared AS (
    SELECT key, n, row_number() OVER (PARTITION BY key ORDER BY n) AS place
    FROM (
        SELECT DISTINCT key, n -- of a short text several drawers are one
        FROM filed
        SEMI JOIN (SELECT key FROM filed GROUP BY key HAVING min(n) < max(n)) USING (key)
    )
),
asked AS (
    SELECT key, n, unnest([1] || range(greatest(2, place - 4), place)) AS place
    FROM shared
    WHERE place > 1
),
pairs AS (
    SELECT DISTINCT s.n AS earlier, a.n AS later
    FROM asked a
    JOIN shared s USING (key, place)
)
SELECT earlier, later
FROM pairs
JOIN sketched e ON e.n = earlier
JOIN sketched l ON l.n = later
WHERE -- misses 1 of 700 at the threshold
    len(list_filter(e.minima, lambda m, i: m = l.minima[i])) >= 16 * ($similarity - 0.3)
