-- grain: one row per run, round and attempt, with its newest verdict; outcome is NULL before it was judged
WITH newest AS (
    SELECT *
    FROM verdicts
    QUALIFY row_number() OVER (PARTITION BY run, round, attempt_id ORDER BY version DESC, verifier, outcome) = 1
),
steps AS (
    SELECT
        run, round, attempt_id,
        count(*) AS checked_steps,
        count(*) FILTER (outcome = 'incorrect') AS wrong_steps
    FROM step_verdicts
    GROUP BY run, round, attempt_id
),
known AS (
    SELECT DISTINCT ON (run, id) run, id, domain, level, prompt, split
    FROM problems
    ORDER BY run, id, round
)
SELECT
    a.run, a.round, a.id AS attempt_id, a.problem_id, a.model_id, a.strategy, p.domain, p.level, p.split, p.prompt,
    a.text, a.tokens, a.finish, v.outcome, v.reason, v.answer, v.verifier, v.version, v.ms,
    coalesce(s.checked_steps, 0) AS checked_steps,
    coalesce(s.wrong_steps, 0) AS wrong_steps,
    coalesce(v.outcome = 'correct' AND s.wrong_steps > 0, false) AS lucky
FROM attempts a
LEFT JOIN known p ON p.run = a.run AND p.id = a.problem_id
LEFT JOIN newest v ON v.run = a.run AND v.round = a.round AND v.attempt_id = a.id
LEFT JOIN steps s ON s.run = a.run AND s.round = a.round AND s.attempt_id = a.id
