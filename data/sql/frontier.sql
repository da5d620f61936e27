-- grain: one row per run, round, model, domain and level of the held-out samples; unverified ones are not counted
-- domain: family of the problems
-- level: level of the problems
-- problems: held-out problems
-- samples: held-out samples that were verified
-- pass1: share of these that are right, 0 to 1
-- strict_pass1: share of these that are right with no checked step wrong
-- coverage: share of all samples that were verified
-- truncated: share of all samples that were cut off at the length limit
-- tokens: mean length of a completion in tokens
SELECT
    run, round, model_id, domain, level,
    count(DISTINCT problem_id) AS problems,
    count(*) FILTER (outcome <> 'unverified') AS samples,
    avg((outcome = 'correct')::INTEGER) FILTER (outcome <> 'unverified') AS pass1,
    avg((outcome = 'correct' AND steps_ok)::INTEGER) FILTER (outcome <> 'unverified') AS strict_pass1,
    avg((outcome <> 'unverified')::INTEGER) AS coverage,
    avg((finish = 'length')::INTEGER) AS truncated,
    avg(tokens) AS tokens
FROM eval_samples
GROUP BY run, round, model_id, domain, level
ORDER BY run, round, model_id, domain, level
