-- drops: a right answer with a wrong step
SELECT attempt_id FROM candidates WHERE lucky
