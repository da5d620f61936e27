-- grain: one row per preference pair of round $round: a right and a wrong attempt of one problem, both whole
WITH finished AS (
    SELECT
        a.attempt_id, a.problem_id, a.tokens, a.draw, w.steps, w.logprob / greatest(a.tokens, 1) AS likely,
        d.sound AS good, a.outcome = 'incorrect' OR (a.lucky AND $drop_lucky) AS bad
    FROM attempted a
    JOIN decided d USING (attempt_id)
    JOIN attempts w ON w.id = a.attempt_id AND w.round = a.round
    WHERE a.finish = 'stop' AND (good OR bad)
    QUALIFY row_number() OVER (PARTITION BY a.problem_id, md5_number(a.text) ORDER BY a.draw, a.attempt_id) = 1
),
rights AS (
    SELECT *
    FROM finished
    WHERE good
    QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY draw, attempt_id) <= $compared
),
wrongs AS (
    SELECT *
    FROM finished
    WHERE bad
    QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY likely DESC, draw, attempt_id) <= $compared
),
forks AS ( -- under these rules a step is a line, as it is in `steps`
    SELECT w.problem_id, w.attempt_id, w.tokens, w.draw, w.likely, s.step, w.steps[s.step + 1] AS shared
    FROM wrongs w
    JOIN (
        SELECT attempt_id, min(index) AS step
        FROM step_verdicts
        WHERE round = $round AND outcome = 'incorrect' AND kind IN ('same_value', 'same_solution')
        GROUP BY attempt_id
    ) s USING (attempt_id)
    WHERE shared > 0
),
by_step AS ( -- the same right steps, then a right and a wrong one
    SELECT
        f.problem_id, g.attempt_id AS chosen_id, f.attempt_id AS rejected_id, f.shared, f.likely,
        abs(g.tokens - f.tokens) AS apart, xor(g.draw, f.draw) AS coin
    FROM forks f
    JOIN rights g ON g.problem_id = f.problem_id AND g.steps[f.step + 1] = f.shared
    JOIN step_verdicts v
        ON v.round = $round AND v.attempt_id = g.attempt_id AND v.index = f.step AND v.outcome = 'correct'
    JOIN attempted r ON r.attempt_id = f.attempt_id
    JOIN attempted c ON c.attempt_id = g.attempt_id
    WHERE left(r.text, f.shared) = left(c.text, f.shared) AND NOT contains(r.text, '</think>')
    QUALIFY row_number() OVER (PARTITION BY f.attempt_id ORDER BY apart, coin, chosen_id) = 1
),
by_outcome AS ( -- the closest in length
    SELECT
        g.problem_id, g.attempt_id AS chosen_id, w.attempt_id AS rejected_id, 0 AS shared, w.likely,
        abs(g.tokens - w.tokens) AS apart, xor(g.draw, w.draw) AS coin
    FROM rights g
    JOIN wrongs w USING (problem_id)
    QUALIFY row_number() OVER (PARTITION BY w.attempt_id ORDER BY apart, coin, chosen_id) = 1
),
ranked AS ( -- the hardest first: the latest fork; the wrong answer that the model finds likeliest, per token
    SELECT
        *, CASE WHEN shared > 0 THEN 'step' ELSE 'outcome' END AS kind,
        row_number() OVER (
            PARTITION BY problem_id, kind ORDER BY shared DESC, likely DESC, apart, coin, rejected_id
        ) AS turn
    FROM (FROM by_step UNION ALL FROM by_outcome)
),
taken AS ( -- a fork that is also the likeliest wrong answer counts once
    SELECT *
    FROM ranked
    WHERE turn <= CASE kind WHEN 'step' THEN $step_pairs_per_problem ELSE $pairs_per_problem END
    QUALIFY row_number() OVER (PARTITION BY chosen_id, rejected_id ORDER BY kind DESC) = 1
)
SELECT
    t.problem_id, t.chosen_id, t.rejected_id, c.prompt, c.text AS chosen, r.text AS rejected, t.kind, t.shared, t.turn,
    md5(concat_ws(chr(31), t.problem_id, chosen_id, rejected_id, kind, shared, length(c.prompt), c.prompt,
        length(chosen), chosen, rejected)) AS member
FROM taken t
JOIN attempted c ON c.attempt_id = t.chosen_id
JOIN attempted r ON r.attempt_id = t.rejected_id
