-- grain: one row per attempt of round $round: kept, or dropped for the first reason that holds
WITH candidates AS (
    SELECT
        attempt_id, problem_id, prompt,
        trim(regexp_replace(text, '\s+', ' ', 'g')) AS words,
        CASE
            WHEN prompt IS NULL THEN 'unknown problem'
            WHEN outcome IS NULL THEN 'unverified'
            WHEN outcome <> 'correct' THEN outcome
            WHEN lucky AND $drop_lucky THEN 'lucky'
            WHEN finish <> 'stop' THEN 'truncated'
        END AS fault,
        md5($seed || attempt_id) AS draw
    FROM judged
    WHERE round = $round
),
used AS (
    SELECT DISTINCT prompt, trim(regexp_replace(completion, '\s+', ' ', 'g')) AS words
    FROM examples
    WHERE round < $round
),
sound AS (
    SELECT
        attempt_id, problem_id, draw,
        CASE
            WHEN row_number() OVER (PARTITION BY prompt, words ORDER BY draw, attempt_id) > 1 THEN 'duplicate'
            WHEN (prompt, words) IN (SELECT (prompt, words) FROM used) THEN 'used before'
        END AS fault
    FROM candidates
    WHERE fault IS NULL
),
capped AS (
    SELECT
        attempt_id,
        CASE
            WHEN row_number() OVER (PARTITION BY problem_id ORDER BY draw, attempt_id) > $per_problem
                THEN 'over the cap'
        END AS fault
    FROM sound
    WHERE fault IS NULL
)
SELECT
    c.attempt_id, c.problem_id,
    coalesce(c.fault, s.fault, k.fault) IS NULL AS kept,
    coalesce(c.fault, s.fault, k.fault, 'kept') AS reason
FROM candidates c
LEFT JOIN sound s USING (attempt_id)
LEFT JOIN capped k USING (attempt_id)
ORDER BY c.attempt_id
