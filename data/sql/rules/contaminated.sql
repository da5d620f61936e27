-- drops: an answer to a problem that is in a benchmark
SELECT attempt_id
FROM alive
SEMI JOIN (
    SELECT problem_id FROM contaminations WHERE round = $round AND decision <> 'cleared'
) USING (problem_id)
