-- grain: one row per domain and level that round $round tried, with its share of the examples
SELECT
    domain, level, count(*) AS examples, examples / sum(examples) OVER () AS share,
    (SELECT count(*) FROM (SELECT DISTINCT domain, level FROM known WHERE round = $round)) AS levels
FROM checked_examples
GROUP BY domain, level
