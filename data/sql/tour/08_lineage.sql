-- question: Where does the best model come from, and what did it learn from?
-- look: at the way back to the model that was given, with the size of each dataset and what it brought.
SELECT round, model_id, parent_id, objective, members, pass1, promoted
FROM lineage(
    (
        SELECT arg_max(model_id, value)
        FROM scores
        WHERE run = $run AND domain = 'all' AND band = 'all' AND metric = 'pass@k' AND k = 1
    )
)
WHERE run = $run
ORDER BY depth
