-- grain: one row per round that was gated: expectations on its data, and those that do not hold
SELECT
    round, count(*) AS expectations, count(*) FILTER (NOT success AND severity = 'critical') AS failed,
    count(*) FILTER (NOT success AND severity <> 'critical') AS warnings,
    string_agg(relation || ': ' || expectation || ' (' || observed || ')', ' | ' ORDER BY severity, relation)
        FILTER (NOT success) AS broken
FROM checks
WHERE run = $run
GROUP BY round
ORDER BY round
