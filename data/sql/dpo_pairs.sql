-- grain: one row per preference pair of round $round: a right and a wrong attempt of one problem, alike in length
WITH finished AS (
    SELECT
        attempt_id, problem_id, prompt, text, tokens,
        outcome = 'correct' AND NOT (lucky AND $drop_lucky) AS good,
        outcome = 'incorrect' OR (lucky AND $drop_lucky) AS bad,
        md5($seed || attempt_id) AS draw
    FROM judged
    WHERE round = $round AND finish = 'stop' AND prompt IS NOT NULL AND outcome IN ('correct', 'incorrect')
    QUALIFY row_number() OVER (PARTITION BY problem_id, text ORDER BY draw, attempt_id) = 1
),
closest AS (
    SELECT
        g.problem_id, g.prompt, g.attempt_id AS chosen_id, g.text AS chosen, b.attempt_id AS rejected_id,
        b.text AS rejected, abs(g.tokens - b.tokens) AS apart, md5(g.draw || b.draw) AS coin
    FROM finished g
    JOIN finished b USING (problem_id)
    WHERE g.good AND b.bad
    QUALIFY row_number() OVER (PARTITION BY b.attempt_id ORDER BY apart, coin, chosen_id) = 1
)
SELECT problem_id, chosen_id, rejected_id, prompt, chosen, rejected
FROM closest
QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY apart, coin, rejected_id) <= $pairs_per_problem
ORDER BY problem_id, apart, coin, rejected_id
