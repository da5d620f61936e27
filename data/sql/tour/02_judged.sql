-- question: What did the model write, and how was it judged?
-- look: at correct, which should rise, and at lucky: right answers with a wrong step. They are not trained on.
SELECT
    round, domain, count(*) AS attempts,
    avg((outcome = 'correct')::INTEGER) AS correct,
    avg(lucky::INTEGER) AS lucky,
    avg((outcome = 'no_answer')::INTEGER) AS no_answer,
    avg((outcome = 'unverified')::INTEGER) AS unverified,
    avg((finish = 'length')::INTEGER) AS truncated
FROM judged
WHERE run = $run
GROUP BY round, domain
ORDER BY round, domain
