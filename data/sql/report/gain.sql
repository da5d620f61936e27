-- grain: one row per group of levels: pass@1 of the first and the last model of the run, and the paired gain
WITH samples AS (
    SELECT model_id = e.last_id AS is_last, model_id = e.first_id AS is_first, domain, level, problem_id, outcome
    FROM eval_samples s
    JOIN ends e ON e.run = s.run AND s.model_id IN (e.first_id, e.last_id)
    WHERE s.run = $run
    QUALIFY round = max(round) OVER (PARTITION BY model_id)
),
problems AS (
    SELECT
        domain, level, problem_id, avg((outcome = 'correct')::INTEGER) FILTER (is_first) AS before,
        avg((outcome = 'correct')::INTEGER) FILTER (is_last) AS after
    FROM samples
    WHERE outcome <> 'unverified'
    GROUP BY domain, level, problem_id
),
levels AS ( -- a level counts as much as any other, however many problems it has
    SELECT
        domain, level, count(*) AS problems, avg(before) AS before, avg(after) AS after,
        avg(after - before) AS gain, coalesce(var_samp(after - before), 0) / count(after - before) AS variance
    FROM problems
    GROUP BY domain, level
),
bands AS (
    SELECT DISTINCT domain, level, band
    FROM scores
    WHERE run = $run AND level > 0
),
grouped AS (
    SELECT unnest(['all', CASE band WHEN 'easy' THEN 'easy' ELSE 'middle and hard' END]) AS levels, l.*
    FROM levels l
    JOIN bands b ON b.domain = l.domain AND b.level = l.level
)
SELECT
    levels, avg(before) AS before, avg(after) AS after, avg(gain) AS gain,
    avg(gain) - 1.959964 * sqrt(sum(variance)) / count(gain) AS low, -- normal, 95 %
    avg(gain) + 1.959964 * sqrt(sum(variance)) / count(gain) AS high,
    sum(problems)::BIGINT AS problems,
    count(*) FILTER (before >= 0.9) AS mastered,
    max(greatest(before - after, 0)) FILTER (before >= 0.9) AS most_lost
FROM grouped
GROUP BY levels
ORDER BY levels = 'all', levels DESC
