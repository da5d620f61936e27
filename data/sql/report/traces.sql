-- grain: one row per fate (right, lucky, wrong) and domain: an attempt of the last round, with its steps
WITH fates AS (
    SELECT
        round, attempt_id, domain, level, prompt, text, reason, checked_steps,
        CASE WHEN lucky THEN 'lucky' WHEN outcome = 'correct' THEN 'right' ELSE 'wrong' END AS fate
    FROM judged
    WHERE
        run = $run AND outcome IN ('correct', 'incorrect')
        AND round = (SELECT max(round) FROM verdicts WHERE run = $run)
),
chosen AS MATERIALIZED (
    SELECT *
    FROM fates
    QUALIFY row_number() OVER (
        PARTITION BY fate, domain ORDER BY checked_steps > 0 DESC, abs(level - 4), length(text), attempt_id
    ) = 1
),
marked AS (
    SELECT
        attempt_id,
        list({'index': index, 'text': text, 'outcome': outcome, 'reason': reason} ORDER BY index) AS steps
    FROM steps
    WHERE run = $run AND attempt_id IN (SELECT attempt_id FROM chosen) AND outcome IS NOT NULL
    GROUP BY attempt_id
)
SELECT
    c.fate, c.domain, c.level, c.round, c.attempt_id, left(c.prompt, 1500) AS prompt, left(c.text, 3000) AS text,
    c.reason, coalesce(m.steps, []) AS steps
FROM chosen c
LEFT JOIN marked m ON m.attempt_id = c.attempt_id
ORDER BY list_position(['right', 'lucky', 'wrong'], c.fate), c.domain
