-- grain: one row per run, round, domain, fate and reason of the problems a model proposed
-- proposals: problems that were proposed
-- share: of the proposals of that run, round and domain, 0 to 1
SELECT
    run, round, domain, accepted, reason, count(*) AS proposals,
    count(*) / sum(count(*)) OVER (PARTITION BY run, round, domain) AS share
FROM proposals
GROUP BY run, round, domain, accepted, reason
ORDER BY run, round, domain, proposals DESC, accepted, reason
