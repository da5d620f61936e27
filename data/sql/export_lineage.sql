-- grain: one row per attempt of run $run that is in `sides`: who wrote it, of which problem, who judged it and how
WITH tried AS (
    SELECT id AS attempt_id, problem_id, model_id, strategy, round, tokens
    FROM attempts
    WHERE run = $run AND id IN (SELECT attempt_id FROM sides)
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY round) = 1
),
judged_by AS (
    SELECT attempt_id, verifier, version, outcome, isolation
    FROM verdicts
    WHERE run = $run AND attempt_id IN (SELECT attempt_id FROM sides)
    QUALIFY row_number() OVER (PARTITION BY attempt_id ORDER BY version DESC, round, verifier, outcome) = 1
),
checked AS (
    SELECT attempt_id, count(*) AS steps, count(*) FILTER (outcome = 'incorrect') AS wrong
    FROM (
        SELECT DISTINCT attempt_id, index, outcome
        FROM step_verdicts
        WHERE run = $run AND attempt_id IN (SELECT attempt_id FROM sides)
    )
    GROUP BY attempt_id
),
asked AS (
    SELECT id, domain, level, source
    FROM problems
    WHERE run = $run AND id IN (SELECT problem_id FROM tried)
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY round) = 1
)
SELECT
    s.attempt_id, p.domain, p.level::INTEGER AS level, p.source, a.model_id, a.strategy, a.round AS written_in_round,
    v.verifier, v.version::INTEGER AS verifier_version, v.isolation,
    CASE WHEN v.outcome = 'correct' AND c.wrong > 0 THEN 'lucky' ELSE v.outcome END AS outcome,
    coalesce(c.steps, 0)::INTEGER AS steps_checked, coalesce(c.wrong, 0)::INTEGER AS steps_wrong,
    a.tokens::INTEGER AS tokens
FROM sides s
LEFT JOIN tried a ON a.attempt_id = s.attempt_id
LEFT JOIN judged_by v ON v.attempt_id = s.attempt_id
LEFT JOIN checked c ON c.attempt_id = s.attempt_id
LEFT JOIN asked p ON p.id = a.problem_id
