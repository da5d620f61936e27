-- grain: one row per run, round, relation and verifier: how many stored texts it has judged there
-- relation: attempts or eval_samples
-- verifier: who judged
-- texts: texts that it has judged
SELECT run, round, 'attempts' AS relation, verifier, count(*) AS texts
FROM judged
WHERE outcome IS NOT NULL
GROUP BY run, round, verifier
UNION ALL
SELECT s.run, s.round, 'eval_samples', p.verifier, count(*)
FROM eval_samples s
JOIN (SELECT DISTINCT run, id, verifier FROM eval_problems) p ON p.run = s.run AND p.id = s.problem_id
GROUP BY s.run, s.round, p.verifier
ORDER BY run, round, relation, verifier
