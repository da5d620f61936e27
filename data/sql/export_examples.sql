-- grain: one row per example of dataset $dataset of run $run, round $round; `traced` is what export_lineage.sql says
WITH golds AS (
    SELECT id, any_value(gold) AS gold FROM problems WHERE run = $run GROUP BY id
)
SELECT
    e.prompt, e.completion, e.attempt_id, e.problem_id, t.domain, t.level, t.source, t.model_id, t.strategy,
    t.written_in_round, t.verifier, t.verifier_version, t.isolation, t.outcome, t.steps_checked, t.steps_wrong,
    t.tokens, g.gold
FROM examples e
LEFT JOIN traced t ON t.attempt_id = e.attempt_id
LEFT JOIN golds g ON g.id = e.problem_id
WHERE e.run = $run AND e.round = $round AND e.dataset_id = $dataset
