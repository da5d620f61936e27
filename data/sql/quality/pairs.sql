-- grain: one row per preference pair of round $round, with what is known of its two attempts (NULL: nothing)
WITH known_now AS (
    SELECT * FROM known WHERE round = $round
)
SELECT
    p.problem_id, p.chosen_id, p.rejected_id, p.chosen = p.rejected AS same_text,
    p.prompt IN (SELECT prompt FROM leaked) AS held_out,
    c.outcome AS chosen_outcome, c.wrong_steps AS chosen_wrong_steps, c.split,
    CASE WHEN r.lucky THEN 'lucky' ELSE r.outcome END AS rejected_outcome,
    coalesce(c.problem_id = p.problem_id AND r.problem_id = p.problem_id, false) AS same_problem
FROM pairs p
LEFT JOIN known_now c ON c.attempt_id = p.chosen_id
LEFT JOIN known_now r ON r.attempt_id = p.rejected_id
WHERE p.round = $round
