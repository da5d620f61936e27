-- grain: one row per run, round and model whose held-out samples were judged again: pass@1 then and by the review
-- samples: held-out samples that were judged again
-- flipped: of these, with another fate
-- old_pass1: share that was right, lucky ones included
-- pass1: share that is right by the newest review, lucky ones included
SELECT
    run, round, model_id, count(*) AS samples, count(*) FILTER (fate <> old_fate) AS flipped,
    avg((old_fate IN ('correct', 'lucky'))::INTEGER) FILTER (old_fate <> 'unverified') AS old_pass1,
    avg((fate IN ('correct', 'lucky'))::INTEGER) FILTER (fate <> 'unverified') AS pass1
FROM reviewed
WHERE held_out
GROUP BY run, round, model_id
ORDER BY run, round, model_id
