-- drops: a text that did not end by itself
SELECT attempt_id FROM candidates WHERE finish <> 'stop'
