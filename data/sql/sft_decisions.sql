-- grain: one row per attempt of round $round: kept, or dropped for the first reason that holds
SELECT
    attempt_id, a.problem_id,
    a.fault IS NULL AND d.reason IS NULL AS kept,
    coalesce(a.fault, d.reason, 'kept') AS reason,
    a.fault IS NULL AND coalesce(d.sound, true) AS sound -- right and without a fault of its own, kept or not
FROM attempted a
LEFT JOIN dropped d USING (attempt_id)
WHERE a.round = $round
