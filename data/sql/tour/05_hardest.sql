-- question: What is the hardest problem that it has solved, and how?
-- look: at the solution: are the steps ones that a person would take?
WITH rated AS MATERIALIZED (
    SELECT
        problem_id, domain, level, solved, verified, rate, solution,
        sum(solved) OVER same_level / sum(verified) OVER same_level AS level_rate
    FROM solve_rate
    WHERE run = $run
    WINDOW same_level AS (PARTITION BY domain, level)
),
hardest AS (
    SELECT *
    FROM rated
    WHERE solved > 0
    ORDER BY level_rate, rate, verified DESC, problem_id
    LIMIT 1
)
SELECT
    h.domain, h.level, h.level_rate, h.solved, h.verified, any_value(p.prompt) AS prompt, any_value(a.text) AS solution
FROM hardest h
JOIN problems p ON p.id = h.problem_id
JOIN attempts a ON a.id = h.solution
GROUP BY ALL
