-- grain: one row per verdict of round $round
SELECT
    attempt_id, verifier, version, outcome, ms,
    attempt_id NOT IN (SELECT attempt_id FROM known WHERE round = $round) AS orphan
FROM verdicts
WHERE round = $round
