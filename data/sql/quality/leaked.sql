-- grain: one row per prompt of round $round (problems, examples, pairs) that is held out too, blanks counting alike
WITH held AS (
    SELECT prompt FROM eval_problems
    UNION
    SELECT prompt FROM problems WHERE split = 'heldout'
),
trained AS (
    SELECT prompt FROM problems WHERE round = $round AND split = 'train'
    UNION
    SELECT prompt FROM examples WHERE round = $round
    UNION
    SELECT prompt FROM pairs WHERE round = $round
)
SELECT prompt
FROM trained
WHERE trim(regexp_replace(prompt, '\s+', ' ', 'g'))
    IN (SELECT trim(regexp_replace(prompt, '\s+', ' ', 'g')) FROM held)
