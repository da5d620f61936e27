-- macro: pass_at_k_of(model)
-- grain: one row per run, domain, level and k (1, 2, 4, ... samples) of a model's held-out samples
-- run: name of the run
-- domain: family of the problems
-- level: level of the problems
-- k: samples drawn a problem
-- pass_at_k: chance that one of them is right, mean over the problems with so many verified samples, 0 to 1
-- problems: these problems
WITH sampled AS (
    SELECT
        run, domain, level, problem_id, count(*) AS tried, count(*) FILTER (outcome <> 'unverified') AS n,
        count(*) FILTER (outcome = 'correct') AS c
    FROM eval_samples
    WHERE model_id = model
    GROUP BY run, round, domain, level, problem_id
    QUALIFY round = max(round) OVER (PARTITION BY run)
),
drawn AS (
    SELECT *, unnest(list_transform(range(1 + floor(log2(max(tried) OVER ()))::BIGINT), lambda i: 1 << i)) AS k
    FROM sampled
)
SELECT run, domain, level, k, avg(pass_at_k(n, c, k)) AS pass_at_k, count(*) FILTER (n >= k) AS problems
FROM drawn
GROUP BY run, domain, level, k
HAVING problems > 0
ORDER BY run, domain, level, k
