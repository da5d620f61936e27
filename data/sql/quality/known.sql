-- grain: one row per round and attempt, of the rounds since $oldest: their examples may come back as replay
SELECT
    round, attempt_id, problem_id, model_id, domain, level, split, finish, tokens, outcome, wrong_steps, lucky
FROM judged
WHERE round >= $oldest
