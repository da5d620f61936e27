-- grain: one row per imported file, what it claims of its attempts, and what the verifiers say
SELECT file, claimed, outcome, agrees, sum(attempts)::BIGINT AS attempts
FROM claims
WHERE run = $run
GROUP BY file, claimed, outcome, agrees
ORDER BY file, claimed, outcome
