-- grain: one row per problem ever solved, hardest first: by the solve rate of its domain and level, then by its own
-- domain: family of the problem; NULL: the problem is unknown
-- level: level of the problem
-- prompt: the question
-- verified: attempts with a verdict other than unverified
-- solved: attempts that are right, no checked step wrong
-- rate: solved / verified
-- level_rate: solved / verified over all problems of its domain and level
-- solution: one of the attempts that solved it
WITH totals AS (
    SELECT
        problem_id, any_value(domain) AS domain, any_value(level) AS level, any_value(prompt) AS prompt,
        sum(verified)::BIGINT AS verified, sum(solved)::BIGINT AS solved, min(solution) AS solution
    FROM solve_rate
    GROUP BY problem_id
),
levels AS (
    SELECT domain, level, sum(solved) / nullif(sum(verified), 0) AS level_rate
    FROM totals
    GROUP BY domain, level
)
SELECT
    t.problem_id, t.domain, t.level, t.prompt, t.verified, t.solved, t.solved / nullif(t.verified, 0) AS rate,
    l.level_rate, t.solution
FROM totals t
JOIN levels l ON l.domain IS NOT DISTINCT FROM t.domain AND l.level IS NOT DISTINCT FROM t.level
WHERE t.solved > 0
ORDER BY l.level_rate, rate, t.verified DESC, t.problem_id
