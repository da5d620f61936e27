-- grain: one row per measured model: what its held-out completions look like, and how far that is from the first model
WITH samples AS (
    SELECT round, model_id, outcome, finish, tokens, steps_ok, text, string_split(trim(text), chr(10)) AS lines
    FROM eval_samples
    WHERE run = $run
),
looks AS (
    SELECT
        round, model_id, count(*) AS samples, avg(tokens) AS tokens, avg((finish = 'length')::INTEGER) AS truncated,
        avg((outcome = 'no_answer')::INTEGER) AS no_answer, avg((outcome = 'unverified')::INTEGER) AS unverified,
        avg((NOT steps_ok)::INTEGER) FILTER (outcome = 'correct') AS lucky,
        avg((len(lines) <= 1)::INTEGER) FILTER (outcome = 'correct') AS one_line,
        avg(1 - len(list_distinct(lines)) / len(lines)) AS repeated_lines,
        avg((strlen(text) > length(text))::INTEGER) AS beyond_ascii
    FROM samples
    GROUP BY round, model_id
),
begun AS (
    FROM looks ORDER BY round, model_id LIMIT 1
)
SELECT
    looks.*,
    concat_ws(', ',
        CASE WHEN looks.tokens > 2 * begun.tokens THEN 'twice as long' END,
        CASE WHEN looks.tokens < begun.tokens / 2 THEN 'half as long' END,
        CASE WHEN looks.truncated > begun.truncated + 0.05 THEN 'cut off' END,
        CASE WHEN looks.no_answer > begun.no_answer + 0.05 THEN 'no answer' END,
        CASE WHEN looks.unverified > begun.unverified + 0.02 THEN 'unverified' END,
        CASE WHEN looks.lucky > begun.lucky + 0.05 THEN 'lucky' END,
        CASE WHEN looks.one_line > begun.one_line + 0.1 THEN 'one line' END,
        CASE WHEN looks.repeated_lines > begun.repeated_lines + 0.05 THEN 'repeated' END,
        CASE WHEN looks.beyond_ascii > begun.beyond_ascii + 0.01 THEN 'not ASCII' END
    ) AS alarms
FROM looks, begun
ORDER BY round, model_id
