-- grain: one row per round, and one over all of them (NULL): from problems to the examples that were trained on
WITH tried AS (
    SELECT
        round, count(DISTINCT problem_id) AS problems, count(*) AS attempts, count(outcome) AS judged,
        count(*) FILTER (outcome = 'correct') AS correct, count(*) FILTER (outcome = 'correct' AND NOT lucky) AS sound
    FROM judged
    WHERE run = $run
    GROUP BY round
),
decided AS (
    SELECT round, count(*) FILTER (kept) AS kept
    FROM decisions
    WHERE run = $run
    GROUP BY round
),
taught AS (
    SELECT round, sum(members)::BIGINT AS examples
    FROM datasets
    WHERE run = $run AND kind = 'examples'
    GROUP BY round
)
SELECT
    round, sum(problems)::BIGINT AS problems, sum(attempts)::BIGINT AS attempts, sum(judged)::BIGINT AS judged,
    sum(correct)::BIGINT AS correct, sum(sound)::BIGINT AS sound, sum(kept)::BIGINT AS kept,
    sum(examples)::BIGINT AS examples
FROM tried
LEFT JOIN decided USING (round)
LEFT JOIN taught USING (round)
GROUP BY GROUPING SETS ((round), ())
HAVING count(*) > 0
ORDER BY round
