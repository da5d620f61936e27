-- grain: one row per attempt of round $round and kind of check; `places`: how many steps, `steps`: how many verdicts
WITH judged_steps AS (
    SELECT
        attempt_id, kind, list("index") AS places, min("index") AS first,
        count(*) FILTER (outcome IS NULL OR outcome NOT IN ('correct', 'incorrect', 'no_answer', 'unverified')) AS odd
    FROM step_verdicts
    WHERE round = $round
    GROUP BY attempt_id, kind
)
SELECT
    attempt_id, kind, len(places) AS steps, list_unique(places) AS places, first, odd,
    attempt_id NOT IN (SELECT attempt_id FROM known WHERE round = $round) AS orphan
FROM judged_steps
