-- grain: one row per example of round $round: what `decided` keeps, then a share of what earlier rounds had kept
WITH fresh AS (
    SELECT j.attempt_id, j.problem_id, j.prompt, j.text AS completion, false AS replay
    FROM decided d
    JOIN judged j ON j.attempt_id = d.attempt_id AND j.round = $round
    WHERE d.kept
),
earlier AS (
    SELECT e.attempt_id, e.problem_id, e.prompt, e.completion, md5($seed || e.attempt_id) AS shuffled,
        row_number() OVER (PARTITION BY p.domain, p.level ORDER BY shuffled, e.attempt_id) AS turn
    FROM examples e
    JOIN decisions d ON d.run = e.run AND d.round = e.round AND d.attempt_id = e.attempt_id
    LEFT JOIN (SELECT DISTINCT id, domain, level FROM problems) p ON p.id = e.problem_id
    WHERE d.kept AND e.round >= $round - $replay_rounds AND e.round < $round
),
replayed AS ( -- the levels take turns, so that a small one is not forgotten
    SELECT attempt_id, problem_id, prompt, completion, true AS replay
    FROM earlier
    QUALIFY row_number() OVER (ORDER BY turn, shuffled, attempt_id)
        <= round((SELECT count(*) FROM fresh) * $replay_share / (1 - $replay_share))
)
SELECT attempt_id, problem_id, prompt, completion, replay
FROM (FROM fresh UNION ALL FROM replayed)
ORDER BY replay, md5($seed || attempt_id), attempt_id
