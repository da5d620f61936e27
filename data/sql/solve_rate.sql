-- grain: one row per run and problem that was tried; `solved` counts right answers without a wrong step
-- attempts: attempts at it
-- verified: of these, with a verdict other than unverified
-- solved: of these, right with no checked step wrong
-- rate: solved / verified, 0 to 1; NULL: none verified
SELECT
    run, problem_id, any_value(domain) AS domain, any_value(level) AS level, any_value(prompt) AS prompt,
    count(*) AS attempts,
    count(*) FILTER (outcome IN ('correct', 'incorrect', 'no_answer')) AS verified,
    count(*) FILTER (outcome = 'correct' AND NOT lucky) AS solved,
    solved / nullif(verified, 0) AS rate
FROM judged
GROUP BY run, problem_id
