-- question: Does it solve new problems, or the same ones more often?
-- look: at the largest k. Where pass@1 rises and that does not, the model has become surer, not wiser.
WITH best AS (
    SELECT arg_max(model_id, value) AS id
    FROM scores
    WHERE run = $run AND domain = 'all' AND band = 'all' AND metric = 'pass@k' AND k = 1
),
given AS (
    SELECT id
    FROM models
    WHERE run = $run AND objective = 'given'
),
both_models AS (
    SELECT k, level, domain, pass_at_k AS first, NULL AS best
    FROM pass_at_k_of((SELECT id FROM given))
    WHERE run = $run
    UNION ALL
    SELECT k, level, domain, NULL, pass_at_k
    FROM pass_at_k_of((SELECT id FROM best))
    WHERE run = $run
)
SELECT k, avg(first) AS first, avg(best) AS best, avg(best) - avg(first) AS gain
FROM both_models
GROUP BY k
ORDER BY k
