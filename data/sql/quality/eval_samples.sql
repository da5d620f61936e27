-- grain: one row per held-out sample of the round before $round: what the models of this round are measured against
SELECT
    s.id AS sample_id, s.problem_id, s.model_id, s.sample, s.outcome, s.finish, s.tokens,
    s.problem_id IN (SELECT id FROM eval_problems WHERE split = 'heldout') AS held_out
FROM eval_samples s
WHERE s.round = $round - 1
