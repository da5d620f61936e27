-- grain: one row per run, round and attempt, with its newest verdict; outcome is NULL before it was judged
-- text: the completion, without the prompt
-- problem_id: problem that it answers
-- attempt_id: the attempt
-- domain: family of the problem; NULL: the problem is unknown
-- level: level of the problem
-- split: train or heldout: of the problem
-- prompt: the question
-- outcome: of the newest verdict: correct, incorrect, no_answer, unverified; NULL: not judged
-- reason: what decided, in words
-- verifier: who judged
-- version: of the verifier
-- checked_steps: steps that were checked
-- wrong_steps: checked steps that are incorrect
-- lucky: correct with a wrong step
WITH mixed AS ( -- where a verifier has judged in more than one version: nowhere, as a rule
    SELECT run, round, verifier
    FROM verdicts
    GROUP BY run, round, verifier
    HAVING min(version) < max(version)
),
newest AS (
    SELECT v.*
    FROM verdicts v
    ANTI JOIN (FROM verdicts SEMI JOIN mixed USING (run, round, verifier)) later
        ON later.run = v.run AND later.round = v.round AND later.attempt_id = v.attempt_id
        AND later.verifier = v.verifier AND later.version > v.version
),
checked AS (
    SELECT run, round, attempt_id, count(*) AS steps
    FROM step_verdicts
    GROUP BY run, round, attempt_id
),
wrong AS (
    SELECT run, round, attempt_id, count(*) AS steps
    FROM step_verdicts
    WHERE outcome = 'incorrect'
    GROUP BY run, round, attempt_id
),
known AS (
    SELECT
        run, id, arg_min(domain, round) AS domain, arg_min(level, round) AS level, arg_min(prompt, round) AS prompt,
        arg_min(split, round) AS split
    FROM problems
    GROUP BY run, id
)
SELECT
    a.run, a.round, a.id AS attempt_id, a.problem_id, a.model_id, a.strategy, p.domain, p.level, p.split, p.prompt,
    a.text, a.tokens, a.finish, v.outcome, v.reason, v.answer, v.verifier, v.version, v.ms,
    coalesce(c.steps, 0) AS checked_steps,
    coalesce(w.steps, 0) AS wrong_steps,
    coalesce(v.outcome = 'correct' AND w.steps > 0, false) AS lucky
FROM attempts a
LEFT JOIN known p ON p.run = a.run AND p.id = a.problem_id
LEFT JOIN newest v ON v.run = a.run AND v.round = a.round AND v.attempt_id = a.id
LEFT JOIN checked c ON c.run = a.run AND c.round = a.round AND c.attempt_id = a.id
LEFT JOIN wrong w ON w.run = a.run AND w.round = a.round AND w.attempt_id = a.id
