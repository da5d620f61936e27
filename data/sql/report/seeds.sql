-- grain: one row per run that began with the same model and was measured on the same held-out problems, this one first
WITH held_out AS (
    SELECT run, md5(string_agg(DISTINCT id, ',' ORDER BY id)) AS problems
    FROM eval_problems
    GROUP BY run
),
alike AS (
    SELECT h.run, e.first_id, e.last_id
    FROM held_out h
    JOIN ends e ON e.run = h.run
    WHERE
        (h.problems, e.first_id) IN (
            SELECT (problems, first_id) FROM held_out JOIN ends USING (run) WHERE run = $run
        )
),
measured AS (
    SELECT run, model_id, band, arg_max(value, round) AS pass1
    FROM scores
    WHERE domain = 'all' AND metric = 'pass@k' AND k = 1
    GROUP BY run, model_id, band
    QUALIFY row_number() OVER (PARTITION BY run, model_id ORDER BY band = 'middle+hard' DESC, band = 'all' DESC) = 1
),
decided AS (
    SELECT run, count(*) AS rounds, count(*) FILTER (promoted) AS promoted
    FROM rounds
    GROUP BY run
)
SELECT
    a.run, coalesce(d.rounds, 0) AS rounds, coalesce(d.promoted, 0) AS promoted, f.pass1 AS before, l.pass1 AS after,
    l.pass1 - f.pass1 AS gain
FROM alike a
JOIN measured f ON f.run = a.run AND f.model_id = a.first_id
JOIN measured l ON l.run = a.run AND l.model_id = a.last_id
LEFT JOIN decided d ON d.run = a.run
ORDER BY a.run <> $run, a.run
