-- drops: an answer to a problem that is in a benchmark
SELECT attempt_id FROM alive WHERE false
