-- grain: one row per attempt of round $round; fault: why it can never be trained on, NULL when it is right
SELECT
    round, attempt_id, problem_id, domain, level, prompt, text, tokens, finish, lucky, checked_steps, wrong_steps,
    outcome,
    CASE
        WHEN prompt IS NULL THEN 'unknown problem'
        WHEN split <> 'train' THEN 'held-out problem'
        WHEN outcome IS NULL THEN 'unverified'
        WHEN outcome <> 'correct' THEN outcome
    END AS fault,
    md5_number_lower($seed || attempt_id) AS draw -- settles every choice between equals
FROM judged
WHERE round = $round
