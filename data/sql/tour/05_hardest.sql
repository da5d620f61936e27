-- question: What is the hardest problem that any run has solved, and how?
-- look: at the solution: are the steps ones that a person would take?
WITH hardest AS (
    SELECT problem_id, domain, level, level_rate, solved, verified, solution
    FROM hardest_solved
    LIMIT 1
)
SELECT
    h.domain, h.level, h.level_rate, h.solved, h.verified, any_value(p.prompt) AS prompt, any_value(a.text) AS solution
FROM hardest h
JOIN problems p ON p.id = h.problem_id
JOIN attempts a ON a.id = h.solution
GROUP BY ALL
