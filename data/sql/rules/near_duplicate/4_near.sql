-- grain: one row per pair whose texts share enough of their shingles, and whose prompts share enough of their words
WITH counted AS (
    SELECT
        m.earlier, m.later, e.attempt_id AS earlier_id, l.attempt_id AS later_id,
        len(list_distinct(e.shingles)) + len(list_distinct(l.shingles)) AS apart,
        len(list_distinct(e.shingles || l.shingles)) AS together
    FROM met m
    JOIN sketched e ON e.n = m.earlier
    JOIN sketched l ON l.n = m.later
),
prompts AS (
    SELECT
        earlier, later, e.prompt AS one, l.prompt AS other,
        list_distinct(string_split(e.prompt, ' ')) AS a, list_distinct(string_split(l.prompt, ' ')) AS b,
        len(list_distinct(a || b)) AS together
    FROM (FROM counted WHERE apart - together >= $similarity * together)
    JOIN candidates e ON e.attempt_id = earlier_id
    JOIN candidates l ON l.attempt_id = later_id
)
SELECT earlier, later
FROM prompts
WHERE one = other OR len(a) + len(b) - together >= $similarity * together
