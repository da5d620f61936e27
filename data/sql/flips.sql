-- grain: one row per run, round, attempt whose review says otherwise, and dataset that has it in a role (NULL: none)
-- attempt_id: attempt
-- problem_id: problem that it answers
-- domain: family of the problem
-- level: level of the problem
-- round: round of the attempt
-- verifier: who judged it again
-- old_version: of the verifier that judged it then
-- old_fate: outcome then, or lucky: correct with a wrong step
-- old_reason: what decided then
-- version: of the verifier that judged it again
-- fate: outcome by the newest review, or lucky
-- reason: what decides by the newest review
-- kept: whether curation kept it
-- dataset_id: dataset that has it; NULL: none
-- role: what it is there: example, chosen or rejected; NULL: nothing
-- used_in_round: round of that dataset
-- model_id: model trained on that dataset; NULL: none
-- text: the completion
WITH used AS (
    SELECT run, round, dataset_id, attempt_id, 'example' AS role FROM examples
    UNION
    SELECT run, round, dataset_id, chosen_id, 'chosen' FROM pairs
    UNION
    SELECT run, round, dataset_id, rejected_id, 'rejected' FROM pairs
)
SELECT
    f.run, f.round, f.attempt_id, f.problem_id, f.domain, f.level, f.verifier, f.old_version, f.old_fate, f.old_reason,
    f.version, f.fate, f.reason, coalesce(d.kept, false) AS kept,
    u.dataset_id, u.role, u.round AS used_in_round, m.id AS model_id, f.text
FROM reviewed f
LEFT JOIN decisions d ON d.run = f.run AND d.round = f.round AND d.attempt_id = f.attempt_id
LEFT JOIN used u ON u.run = f.run AND u.attempt_id = f.attempt_id
LEFT JOIN models m ON m.run = u.run AND m.round = u.round AND m.dataset_id = u.dataset_id
WHERE NOT f.held_out AND f.fate <> f.old_fate
ORDER BY f.run, f.round, f.attempt_id, used_in_round, role
