-- drops: the same answer to the same prompt again, white space aside
WITH said AS (
    SELECT
        attempt_id, draw, replace(replace(replace(text, ' ', ''), chr(10), ''), chr(9), '') AS squeezed,
        md5_number(concat_ws(chr(31), prompt, squeezed)) AS said
    FROM candidates
    SEMI JOIN alive USING (attempt_id)
)
SELECT attempt_id
FROM said
QUALIFY row_number() OVER (PARTITION BY said ORDER BY draw, attempt_id) > 1
