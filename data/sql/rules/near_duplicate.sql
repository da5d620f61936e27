-- drops: nearly the same answer as one that stays
SELECT attempt_id FROM alive WHERE false
