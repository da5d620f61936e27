-- grain: one row per trained model and logged step, at most some 200 of a model
SELECT round, model_id, step, loss
FROM losses
WHERE run = $run
WINDOW same_model AS (PARTITION BY round, model_id ORDER BY step)
QUALIFY (row_number() OVER same_model - 1) % ceil(count(*) OVER (PARTITION BY round, model_id) / 200) = 0
ORDER BY round, model_id, step
