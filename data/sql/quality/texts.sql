-- grain: one row per attempt of round $round; `same`: equal for equal texts alone (hash() collides on texts that differ in a digit)
SELECT
    id AS attempt_id, problem_id, md5_number(text) AS same, length(text) AS characters, logprob,
    list_min(steps) AS first_step, list_max(steps) AS last_step
FROM attempts
WHERE round = $round
