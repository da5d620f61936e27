-- grain: one row per measured model: what its held-out completions look like
WITH samples AS (
    SELECT round, model_id, outcome, finish, tokens, steps_ok, text, string_split(trim(text), chr(10)) AS lines
    FROM eval_samples
    WHERE run = $run
)
SELECT
    round, model_id, count(*) AS samples, avg(tokens) AS tokens, avg((finish = 'length')::INTEGER) AS truncated,
    avg((outcome = 'no_answer')::INTEGER) AS no_answer, avg((outcome = 'unverified')::INTEGER) AS unverified,
    avg((NOT steps_ok)::INTEGER) FILTER (outcome = 'correct') AS lucky,
    avg((len(lines) <= 1)::INTEGER) FILTER (outcome = 'correct') AS one_line,
    avg(1 - len(list_distinct(lines)) / len(lines)) AS repeated_lines,
    avg((strlen(text) > length(text))::INTEGER) AS beyond_ascii
FROM samples
GROUP BY round, model_id
ORDER BY round, model_id
