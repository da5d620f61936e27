-- drops: what a level has beyond so many times the median level of the round
WITH sizes AS (
    SELECT domain, level, count(*) AS n
    FROM alive
    GROUP BY domain, level
),
median AS (
    SELECT -quantile_disc(-n, 0.5) AS n -- of two in the middle the upper one
    FROM sizes
),
turns AS ( -- the first answers to all problems before the second ones
    SELECT *, row_number() OVER (PARTITION BY problem_id ORDER BY draw, attempt_id) AS turn
    FROM alive
)
SELECT attempt_id
FROM turns
QUALIFY row_number() OVER (PARTITION BY domain, level ORDER BY turn, draw, attempt_id)
    > greatest($level_times * (SELECT n FROM median), $min_examples)