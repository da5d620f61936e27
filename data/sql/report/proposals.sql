-- grain: one row per fate and reason of the problems that models of the run proposed
SELECT accepted, reason, count(*) AS proposals, count(*) / sum(count(*)) OVER () AS share
FROM proposals
WHERE run = $run
GROUP BY accepted, reason
ORDER BY accepted DESC, proposals DESC, reason
