-- grain: one row per run, round, attempt whose review says otherwise, and dataset that has it in a role (NULL: none)
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
