-- question: Does the model get better from round to round, by more than chance?
-- look: at gain_low. Above 0 the 95 % interval of the paired difference excludes a loss; only then is a model promoted.
SELECT
    round, incumbent_pass1, challenger_pass1, challenger_pass1 - incumbent_pass1 AS gain, gain_low, gain_high, promoted
FROM rounds
WHERE run = $run
ORDER BY round
