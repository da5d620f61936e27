-- grain: one row per benchmark and decision: training problems that are, or may be, in it
SELECT benchmark, decision, count(DISTINCT problem_id) AS problems
FROM contaminations
WHERE run = $run
GROUP BY benchmark, decision
ORDER BY benchmark, decision
