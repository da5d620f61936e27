-- grain: one row per run, round and model that was trained there
-- model_id: model that the training made
-- parent_id: model that it started from
-- dataset_id: dataset that it was trained on
-- members: rows of that dataset; NULL: it is not in the ledger
-- steps: optimizer steps of the last logged point
-- first_loss: loss of the first logged point
-- last_loss: loss of the last logged point
-- tokens_per_second: tokens read a second
WITH curves AS (
    SELECT
        run, round, model_id, max(step) AS steps, arg_min(loss, step) AS first_loss, arg_max(loss, step) AS last_loss
    FROM losses
    GROUP BY run, round, model_id
)
SELECT
    m.run, m.round, m.id AS model_id, m.parent_id, m.objective, m.dataset_id, d.members, c.steps, c.first_loss,
    c.last_loss, m.tokens_seen, m.seconds, m.tokens_seen / nullif(m.seconds, 0) AS tokens_per_second
FROM models m
LEFT JOIN curves c ON c.run = m.run AND c.round = m.round AND c.model_id = m.id
LEFT JOIN datasets d ON d.run = m.run AND d.round = m.round AND d.dataset_id = m.dataset_id
WHERE m.objective <> 'given'
