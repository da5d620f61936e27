-- grain: one row per run and problem that was tried; `solved` counts right answers without a wrong step
-- problem_id: the problem
-- domain: family of the problem; NULL: the problem is unknown
-- level: level of the problem
-- prompt: the question
-- attempts: attempts at it
-- verified: of these, with a verdict other than unverified
-- solved: of these, right with no checked step wrong
-- rate: solved / verified, 0 to 1; NULL: none verified
-- solution: one of the attempts that solved it; NULL: none did
WITH tried AS (
    SELECT
        run, problem_id, count(*) AS attempts,
        count(*) FILTER (outcome IN ('correct', 'incorrect', 'no_answer')) AS verified,
        count(*) FILTER (outcome = 'correct' AND NOT lucky) AS solved,
        min(attempt_id) FILTER (outcome = 'correct' AND NOT lucky) AS solution
    FROM judged
    GROUP BY run, problem_id
),
known AS (
    SELECT run, id, arg_min(domain, round) AS domain, arg_min(level, round) AS level, arg_min(prompt, round) AS prompt
    FROM problems
    GROUP BY run, id
)
SELECT
    t.run, t.problem_id, k.domain, k.level, k.prompt, t.attempts, t.verified, t.solved,
    t.solved / nullif(t.verified, 0) AS rate, t.solution
FROM tried t
LEFT JOIN known k ON k.run = t.run AND k.id = t.problem_id
