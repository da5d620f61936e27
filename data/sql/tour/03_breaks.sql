-- question: At which step do solutions break?
-- look: at step 0: the problem was misread. Later ones are slips on the way.
WITH broken AS (
    SELECT kind, attempt_id, min(index) AS step
    FROM step_verdicts
    WHERE run = $run AND outcome = 'incorrect'
    GROUP BY kind, round, attempt_id
)
SELECT kind, step, count(*) AS attempts, count(*) / sum(count(*)) OVER (PARTITION BY kind) AS share
FROM broken
GROUP BY kind, step
ORDER BY kind, step
