-- grain: one row per round, 0 being the model that was given: its pass@1 with a 95 % interval, and what was decided
WITH measured AS (
    SELECT model_id, round, band, value, low, high
    FROM scores
    WHERE run = $run AND domain = 'all' AND metric = 'pass@k' AND k = 1
    QUALIFY row_number() OVER (
        PARTITION BY model_id ORDER BY band = 'middle+hard' DESC, band = 'all' DESC, round DESC
    ) = 1
),
decided AS (
    SELECT
        round, challenger_id AS model_id, promoted, challenger_pass1 - incumbent_pass1 AS gain, gain_low, gain_high, why
    FROM rounds
    WHERE run = $run
    UNION ALL
    SELECT 0, first_id, NULL, NULL, NULL, NULL, 'given'
    FROM ends
    WHERE run = $run
)
SELECT
    d.round, d.model_id, CASE m.band WHEN 'middle+hard' THEN 'middle and hard' ELSE m.band END AS levels,
    m.value AS pass1, m.low, m.high, d.promoted,
    CASE WHEN d.round = 0 THEN 'given' WHEN d.promoted THEN 'promoted' ELSE 'not promoted' END AS fate,
    d.gain AS gain_all, d.gain_low, d.gain_high, d.why
FROM decided d
LEFT JOIN measured m ON m.model_id = d.model_id
ORDER BY d.round
