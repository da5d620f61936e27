-- grain: one row per reason for which attempts were dropped: how many, their share of all attempts, one of them
SELECT
    reason, count(*) AS attempts, count(*) / (SELECT count(*) FROM decisions WHERE run = $run) AS share,
    min(attempt_id) AS example
FROM decisions
WHERE run = $run AND NOT kept
GROUP BY reason
ORDER BY attempts DESC, reason
