-- question: Why were attempts dropped?
-- look: at the largest share. `FROM why_dropped('<example>')` tells the whole story of one.
SELECT round, reason, count(*) AS attempts, count(*) / sum(count(*)) OVER (PARTITION BY round) AS share,
    min(attempt_id) AS example
FROM decisions
WHERE run = $run AND NOT kept
GROUP BY round, reason
ORDER BY round, attempts DESC, reason
