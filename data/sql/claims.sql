-- grain: one row per run, round, file, claim of the file and outcome of the attempts imported from it
-- file: name of the file or dataset folder
-- claimed: correct or incorrect, as the file says; empty: it says nothing
-- outcome: of the verdict; NULL: not judged yet
-- attempts: attempts with that claim and outcome
-- agrees: whether the claim is what the verdict says; NULL: no claim, or the verifier could not tell
SELECT
    i.run, i.round, i.file, i.claimed, j.outcome, count(*) AS attempts,
    CASE
        WHEN i.claimed <> '' AND j.outcome IN ('correct', 'incorrect', 'no_answer')
            THEN (i.claimed = 'correct') = (j.outcome = 'correct')
    END AS agrees
FROM imports i
LEFT JOIN judged j ON j.run = i.run AND j.round = i.round AND j.attempt_id = i.attempt_id
GROUP BY i.run, i.round, i.file, i.claimed, j.outcome
ORDER BY i.run, i.round, i.file, i.claimed, j.outcome
