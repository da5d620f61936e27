-- question: What is the hardest problem it has solved, and how?
-- look: at the solution: are the steps ones that a person would take?
WITH hardest AS (
    SELECT problem_id, domain, level, prompt, verified, solved, level_rate
    FROM hardest_solved
    LIMIT 1
)
SELECT
    h.domain, h.level, h.level_rate, h.solved, h.verified, h.prompt,
    arg_min(j.text, (len(j.text), j.text)) AS solution
FROM hardest h
JOIN judged j ON j.problem_id = h.problem_id
WHERE j.outcome = 'correct' AND NOT j.lucky
GROUP BY ALL
