-- grain: one row per problem and benchmark text with n-grams of $ngram tokens in common
-- An n-gram counts when it tells something. One of more than $common different problems, or benchmark texts, is
-- boilerplate; of few texts, one of more than a tenth, and of more than five.
-- `overlap`: share of the benchmark text's that the problem has.
WITH known AS (
    SELECT DISTINCT
        benchmark, id, bag,
        unnest(list_transform(range(1, len(tokens) - $ngram + 2), lambda i: hash(tokens[i:i + $ngram - 1]))) AS gram
    FROM words
    WHERE benchmark <> ''
),
tried AS (
    SELECT
        id, bag,
        unnest(list_transform(range(1, len(tokens) - $ngram + 2), lambda i: hash(tokens[i:i + $ngram - 1]))) AS gram
    FROM words
    WHERE benchmark = ''
),
met AS (
    SELECT DISTINCT id, bag, gram
    FROM tried
    SEMI JOIN known USING (gram)
),
most AS (
    SELECT
        least($common, greatest(5, 0.1 * count(DISTINCT bag) FILTER (benchmark = ''))) AS problems,
        least($common, greatest(5, 0.1 * count(DISTINCT bag) FILTER (benchmark <> ''))) AS texts
    FROM words
),
common AS (
    SELECT gram FROM met GROUP BY gram HAVING count(DISTINCT bag) > (SELECT problems FROM most)
    UNION ALL
    SELECT gram FROM known GROUP BY gram HAVING count(DISTINCT bag) > (SELECT texts FROM most)
),
telling AS (
    FROM known
    ANTI JOIN common USING (gram)
    QUALIFY count(*) OVER (PARTITION BY benchmark, id) >= $least_ngrams
)
SELECT
    m.id AS problem_id, t.benchmark, t.id AS benchmark_id, any_value(s.ngrams) AS ngrams,
    count(*) / any_value(s.ngrams) AS overlap
FROM telling t
JOIN met m USING (gram)
JOIN (SELECT benchmark, id, count(*) AS ngrams FROM telling GROUP BY ALL) s ON s.benchmark = t.benchmark AND s.id = t.id
GROUP BY m.id, t.benchmark, t.id
HAVING count(*) >= least($overlap, 0.25) * any_value(s.ngrams) -- fewer are no near copy either
