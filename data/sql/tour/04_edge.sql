-- question: Which levels are at the edge of what it can?
-- look: at sometimes: problems that it solves now and then. These teach; always is mastered, never is out of reach.
SELECT
    domain, level, count(*) AS problems,
    count(*) FILTER (rate = 0) AS never,
    count(*) FILTER (rate > 0 AND rate < 1) AS sometimes,
    count(*) FILTER (rate = 1) AS always,
    sum(solved) / sum(verified) AS solve_rate
FROM solve_rate
WHERE run = $run
GROUP BY domain, level
ORDER BY domain, level
