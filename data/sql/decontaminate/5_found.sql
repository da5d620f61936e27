-- grain: one row per problem and benchmark: the text there that it is most like, by which signals, and what follows
WITH nearest AS (
    SELECT *, $by_form AND edit <= $edit AS by_form
    FROM pairs
    WHERE by_ngrams OR ($by_form AND edit <= $edit)
    QUALIFY row_number() OVER (
        PARTITION BY problem_id, benchmark
        ORDER BY same DESC, by_form AND by_ngrams DESC, overlap DESC, edit, benchmark_id
    ) = 1
)
SELECT
    n.problem_id, n.benchmark, n.benchmark_id, n.overlap, n.ngrams, n.edit,
    array_to_string(list_filter(
        [if(n.by_ngrams, 'n-grams', ''), if(n.same, 'same form', if(n.by_form, 'few edits', ''))], lambda s: s <> ''
    ), ' + ') AS signals,
    CASE
        WHEN c.problem_id IS NOT NULL THEN 'cleared'
        WHEN n.same OR (n.by_ngrams AND n.by_form) THEN 'drop'
        ELSE 'review'
    END AS decision,
    coalesce(c.because, '') AS why,
    left(p.text, 500) AS prompt,
    left(b.text, 500) AS benchmark_prompt
FROM nearest n
JOIN texts p ON p.benchmark = '' AND p.id = n.problem_id
JOIN texts b ON b.benchmark = n.benchmark AND b.id = n.benchmark_id
LEFT JOIN clearances c ON c.problem_id = n.problem_id
ORDER BY n.problem_id, n.benchmark
