-- grain: one row per example of round $round: what `decided` keeps, then a share of what earlier rounds had kept
WITH fresh AS (
    SELECT attempt_id
    FROM decided
    WHERE kept
),
given AS ( -- how many fresh examples each level has
    SELECT domain, level, count(*) AS examples
    FROM attempted
    SEMI JOIN fresh USING (attempt_id)
    GROUP BY ALL
),
earlier AS (
    SELECT e.round, e.attempt_id, md5($seed || e.attempt_id) AS shuffled,
        coalesce(g.examples, 0) + row_number() OVER (
            PARTITION BY p.domain, p.level ORDER BY shuffled, e.attempt_id
        ) AS turn
    FROM examples e
    JOIN decisions d ON d.run = e.run AND d.round = e.round AND d.attempt_id = e.attempt_id
    LEFT JOIN (SELECT DISTINCT id, domain, level FROM problems) p ON p.id = e.problem_id
    LEFT JOIN given g ON g.domain = p.domain AND g.level = p.level
    WHERE d.kept AND e.round >= $round - $replay_rounds AND e.round < $round
        AND e.problem_id NOT IN (SELECT problem_id FROM contaminations WHERE round = $round AND decision <> 'cleared')
),
replayed AS ( -- levels with few fresh examples first, so that one that ran out of problems is not forgotten
    SELECT round, attempt_id
    FROM earlier
    QUALIFY row_number() OVER (ORDER BY turn, shuffled, attempt_id)
        <= round((SELECT count(*) FROM fresh) * $replay_share / (1 - $replay_share))
),
texts AS (
    SELECT attempt_id, problem_id, prompt, text AS completion, false AS replay
    FROM attempted
    SEMI JOIN fresh USING (attempt_id)
    UNION ALL
    SELECT attempt_id, problem_id, prompt, completion, true
    FROM examples
    SEMI JOIN replayed USING (round, attempt_id)
)
SELECT
    *, md5($seed || attempt_id) AS shuffled,
    md5(concat_ws(chr(31), attempt_id, problem_id, replay, length(prompt), prompt, completion)) AS member
FROM texts
