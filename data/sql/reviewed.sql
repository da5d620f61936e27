-- grain: one row per run, round and attempt or held-out sample judged again: its fate then and by its newest review
-- problem_id: problem that it answers
-- domain: family of the problem
-- level: level of the problem
-- model_id: model that wrote it
-- attempt_id: attempt or held-out sample
-- held_out: whether it is a held-out sample
-- text: the completion
-- old_version: of the verifier that judged it then; NULL: not known of held-out samples
-- old_fate: outcome then, or lucky: correct with a wrong step
-- old_reason: what decided then
-- verifier: who judged it again
-- version: of the verifier that judged it again
-- fate: outcome by the newest review, or lucky
-- reason: what decides by the newest review
-- answer: what the newest review extracted
WITH newest AS (
    SELECT *, CASE WHEN outcome = 'correct' AND wrong_steps > 0 THEN 'lucky' ELSE outcome END AS fate
    FROM reviews
    QUALIFY row_number() OVER (PARTITION BY run, round, attempt_id ORDER BY version DESC, verifier) = 1
),
stored AS (
    SELECT
        run, round, attempt_id, problem_id, model_id, domain, level, text, version, reason, false AS held_out,
        CASE WHEN lucky THEN 'lucky' ELSE outcome END AS fate
    FROM judged
    WHERE outcome IS NOT NULL
    UNION ALL
    SELECT
        run, round, id, problem_id, model_id, domain, level, text, NULL, reason, true,
        CASE WHEN outcome = 'correct' AND NOT steps_ok THEN 'lucky' ELSE outcome END
    FROM eval_samples
)
SELECT
    s.run, s.round, s.attempt_id, s.problem_id, s.model_id, s.domain, s.level, s.held_out, s.text,
    s.version AS old_version, s.fate AS old_fate, s.reason AS old_reason,
    n.verifier, n.version, n.fate, n.reason, n.answer
FROM newest n
JOIN stored s ON s.run = n.run AND s.round = n.round AND s.attempt_id = n.attempt_id
