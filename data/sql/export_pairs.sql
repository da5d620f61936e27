-- grain: one row per pair of dataset $dataset of run $run, round $round; `traced` is what export_lineage.sql says
WITH golds AS (
    SELECT id, any_value(gold) AS gold FROM problems WHERE run = $run GROUP BY id
)
SELECT
    e.prompt, e.chosen, e.rejected, e.chosen_id, e.rejected_id, e.problem_id, t.domain, t.level, t.source, t.model_id,
    r.model_id AS rejected_model_id, t.strategy, t.written_in_round, t.verifier, t.verifier_version, t.isolation,
    t.outcome, r.outcome AS rejected_outcome, t.steps_checked, t.steps_wrong,
    r.steps_checked AS rejected_steps_checked, r.steps_wrong AS rejected_steps_wrong, t.tokens,
    r.tokens AS rejected_tokens, e.kind, e.shared, g.gold
FROM pairs e
LEFT JOIN traced t ON t.attempt_id = e.chosen_id
LEFT JOIN traced r ON r.attempt_id = e.rejected_id
LEFT JOIN golds g ON g.id = e.problem_id
WHERE e.run = $run AND e.round = $round AND e.dataset_id = $dataset
