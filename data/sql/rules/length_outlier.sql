-- drops: a text far longer or shorter than others of its domain and level
WITH sized AS (
    SELECT attempt_id, domain, level, length(text) AS size
    FROM candidates
    SEMI JOIN alive USING (attempt_id)
),
usual AS (
    SELECT domain, level, median(size) AS middle, mad(size) AS spread
    FROM sized
    GROUP BY domain, level
    HAVING count(*) >= 20 -- fewer say nothing
)
SELECT attempt_id
FROM sized
JOIN usual USING (domain, level)
WHERE abs(size - middle) > $length_mads * spread
    AND (size > $length_times * middle OR size * $length_times < middle)
