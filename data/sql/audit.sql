-- grain: one row per run, round, verifier and kind of probe, and one per verifier over all of its kinds (kind `all`)
-- version: newest version of the verifier
-- kind: what the probes try (gold, near_miss, empty, ...); all: every kind
-- must_refuse: probes that a sound verifier refuses
-- false_accepts: of these, accepted ones
-- false_accept_rate: their share, 0 to 1; NULL without such probes
-- false_accept_low: lower end of its 95 % interval (Wilson)
-- false_accept_high: upper end of that interval
-- must_accept: probes that a sound verifier accepts
-- false_rejects: of these, refused or unverified ones
-- false_reject_rate: their share, 0 to 1; NULL without such probes
-- false_reject_low: lower end of its 95 % interval (Wilson)
-- false_reject_high: upper end of that interval
WITH counted AS (
    SELECT
        run, round, verifier, max(version) AS version, coalesce(kind, 'all') AS kind,
        count(*) FILTER (NOT accept) AS bad,
        count(*) FILTER (wrong = 'false_accept') AS false_accepts,
        count(*) FILTER (accept) AS good,
        count(*) FILTER (wrong IN ('false_reject', 'unverified')) AS false_rejects
    FROM probes
    GROUP BY GROUPING SETS ((run, round, verifier, kind), (run, round, verifier))
),
-- Wilson's 95 % interval (Wilson 1927, JASA 22): centre and half width; 0 to 1 without probes
measured AS (
    SELECT
        *, 1.959964 AS z,
        false_accepts / nullif(bad, 0) AS false_accept_rate,
        false_rejects / nullif(good, 0) AS false_reject_rate
    FROM counted
),
spread AS (
    SELECT
        *,
        (false_accepts + z * z / 2) / (bad + z * z) AS accept_centre,
        z * sqrt(false_accept_rate * (bad - false_accepts) + z * z / 4) / (bad + z * z) AS accept_half,
        (false_rejects + z * z / 2) / (good + z * z) AS reject_centre,
        z * sqrt(false_reject_rate * (good - false_rejects) + z * z / 4) / (good + z * z) AS reject_half
    FROM measured
)
SELECT
    run, round, verifier, version, kind,
    bad AS must_refuse, false_accepts, false_accept_rate,
    greatest(accept_centre - accept_half, 0) AS false_accept_low,
    least(accept_centre + accept_half, 1) AS false_accept_high,
    good AS must_accept, false_rejects, false_reject_rate,
    greatest(reject_centre - reject_half, 0) AS false_reject_low,
    least(reject_centre + reject_half, 1) AS false_reject_high
FROM spread
ORDER BY run, round, verifier, kind
