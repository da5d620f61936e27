-- macro: why_dropped(attempt)
-- grain: one row per run and round that has this attempt
-- run: name of the run
-- round: round of the attempt
-- kept: whether curation kept it; NULL: not decided yet
-- why: kept, or the first rule that dropped it; not decided yet, before its round is curated
-- outcome: of its verdict; NULL: not judged
-- verdict: what decided the verdict, in words
-- wrong_step: number of its first wrong step, from 0; NULL: no checked step is wrong
-- step: text of that step, where it is known
-- fault: what is wrong with it
WITH wrong AS (
    SELECT run, round, attempt_id, min(index) AS index, arg_min(text, index) AS text, arg_min(reason, index) AS reason
    FROM steps
    WHERE attempt_id = attempt AND outcome = 'incorrect'
    GROUP BY run, round, attempt_id
)
SELECT
    j.run, j.round, d.kept, coalesce(d.reason, 'not decided yet') AS why, j.outcome, j.reason AS verdict,
    w.index AS wrong_step, w.text AS step, w.reason AS fault
FROM judged j
LEFT JOIN decisions d ON d.run = j.run AND d.round = j.round AND d.attempt_id = j.attempt_id
LEFT JOIN wrong w ON w.run = j.run AND w.round = j.round
WHERE j.attempt_id = attempt
ORDER BY j.run, j.round
