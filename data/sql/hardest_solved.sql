-- grain: one row per problem ever solved, hardest first: by the solve rate of its domain and level, then by its own
-- verified: attempts with a verdict other than unverified
-- solved: attempts that are right, no checked step wrong
-- rate: solved / verified
-- level_rate: solved / verified over all problems of its domain and level
WITH totals AS (
    SELECT
        problem_id, any_value(domain) AS domain, any_value(level) AS level, any_value(prompt) AS prompt,
        sum(verified)::BIGINT AS verified, sum(solved)::BIGINT AS solved
    FROM solve_rate
    GROUP BY problem_id
),
rated AS (
    SELECT
        *, solved / nullif(verified, 0) AS rate,
        sum(solved) OVER same_level / nullif(sum(verified) OVER same_level, 0) AS level_rate
    FROM totals
    WINDOW same_level AS (PARTITION BY domain, level)
)
SELECT problem_id, domain, level, prompt, verified, solved, rate, level_rate
FROM rated
WHERE solved > 0
ORDER BY level_rate, rate, verified DESC, problem_id
