-- grain: one row per pair whose texts share enough of their shingles, and whose prompts share enough of their words
WITH texts AS (
    SELECT m.earlier, m.later, e.attempt_id AS earlier_id, l.attempt_id AS later_id,
        list_distinct(e.shingles) AS a, list_distinct(l.shingles) AS b
    FROM met m
    JOIN sketched e ON e.n = m.earlier
    JOIN sketched l ON l.n = m.later
),
alike AS (
    SELECT earlier, later, earlier_id, later_id, len(list_intersect(a, b)) AS shared, len(a) + len(b) AS total
    FROM texts
    WHERE shared >= $similarity * (total - shared)
),
prompts AS (
    SELECT earlier, later, e.prompt AS one, l.prompt AS other,
        list_distinct(string_split(e.prompt, ' ')) AS a, list_distinct(string_split(l.prompt, ' ')) AS b,
        len(list_intersect(a, b)) AS shared
    FROM alike
    JOIN candidates e ON e.attempt_id = earlier_id
    JOIN candidates l ON l.attempt_id = later_id
)
SELECT earlier, later
FROM prompts
WHERE one = other OR shared >= $similarity * (len(a) + len(b) - shared)
