-- grain: one row per text that may be in a pair: its normal forms, in which equal problems are equal
-- `plain`: its words as they come; `numbered`: with line numbers; `ordered`: its clauses in one order, with questions
-- marked; `numbers`: those of `plain`, each with how often it came so far.
WITH wanted AS (
    SELECT benchmark, id FROM words WHERE benchmark <> ''
    UNION
    SELECT '', problem_id FROM shared
    UNION
    SELECT benchmark, id
    FROM words
    WHERE $by_form AND (
        bag IN (SELECT bag FROM words WHERE benchmark <> '')
        OR numbered_bag IN (SELECT numbered_bag FROM words WHERE benchmark <> '')
    )
),
joined AS (
    SELECT
        benchmark, id,
        array_to_string(list_filter(words, lambda w: w NOT IN ('¶', '?')), ' ') AS marked,
        string_split(array_to_string(list_filter(words, lambda w: w[1] <> '№'), ' '), '¶') AS clauses
    FROM words
    SEMI JOIN wanted USING (benchmark, id)
),
formed AS (
    SELECT
        benchmark, id,
        replace(marked, '№', '') AS numbered,
        regexp_replace(marked, '№\S+ ', '', 'g') AS plain,
        array_to_string(
            list_sort(list_filter(
                list_transform(clauses, lambda c: if(contains(c, '?'), '? ', '') || trim(c, ' ?')), lambda c: c <> ''
            )),
            ' / '
        ) AS ordered
    FROM joined
),
counted AS (
    SELECT benchmark, id, number || ' ' || row_number() OVER (PARTITION BY benchmark, id, number) AS number
    FROM (SELECT benchmark, id, unnest(regexp_extract_all(plain, '[0-9]+(?:\.[0-9]+)?!?')) AS number FROM formed)
)
SELECT f.*, coalesce(c.numbers, []) AS numbers
FROM formed f
LEFT JOIN (SELECT benchmark, id, list(number) AS numbers FROM counted GROUP BY ALL) c USING (benchmark, id)
