-- drops: one more answer to a problem that has enough
SELECT attempt_id
FROM alive
QUALIFY row_number() OVER (PARTITION BY problem_id ORDER BY draw, attempt_id) > $per_problem
