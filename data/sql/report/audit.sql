-- grain: one row per verifier: errors on labelled probes over all rounds, with the worst round's 95 % interval
SELECT
    verifier, max(version) AS version, count(*) AS rounds,
    sum(must_refuse)::BIGINT AS must_refuse, sum(false_accepts)::BIGINT AS false_accepts,
    max(false_accept_high) AS accept_at_most, sum(must_accept)::BIGINT AS must_accept,
    sum(false_rejects)::BIGINT AS false_rejects, max(false_reject_high) AS reject_at_most
FROM audit
WHERE run = $run AND kind = 'all'
GROUP BY verifier
ORDER BY verifier
