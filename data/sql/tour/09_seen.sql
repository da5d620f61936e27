-- question: Who has learned from one attempt, here the first example of the first dataset?
-- look: at depth. 0 was trained on it; more has it from its parents. This is what a flipped verdict puts in doubt.
SELECT round, model_id, role, depth, promoted
FROM trained_on((SELECT arg_min(attempt_id, (round, attempt_id)) FROM examples WHERE run = $run))
WHERE run = $run
ORDER BY depth, round, role
