-- drops: an answer that an earlier round of the run has used, white space aside
WITH again AS (
    SELECT attempt_id, prompt, replace(replace(replace(text, ' ', ''), chr(10), ''), chr(9), '') AS said
    FROM candidates
    SEMI JOIN alive USING (attempt_id)
),
used AS (
    SELECT DISTINCT prompt, replace(replace(replace(completion, ' ', ''), chr(10), ''), chr(9), '') AS said
    FROM examples
    WHERE round < $round AND prompt IN (SELECT prompt FROM again)
)
SELECT attempt_id
FROM again
SEMI JOIN used USING (prompt, said)
