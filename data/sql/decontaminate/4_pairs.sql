-- grain: one row per problem and benchmark text that have a form or n-grams in common, and what tells them apart
-- `edit`: characters to change as a share of the longer form; 1 unless numbers and signs are the same, in this order,
-- and both forms are short enough to compare letter by letter.
WITH keyed AS ( -- texts that have one of these in common are the same problem
    SELECT benchmark, id, unnest(list_distinct([plain, numbered, ordered])) AS key
    FROM forms
    WHERE plain <> '' AND $by_form
),
same AS (
    SELECT DISTINCT p.id AS problem_id, b.benchmark, b.id AS benchmark_id, true AS same
    FROM keyed p
    JOIN (SELECT DISTINCT ON (benchmark, key) * FROM keyed WHERE benchmark <> '' ORDER BY id) b USING (key)
    WHERE p.benchmark = ''
),
pairs AS (
    SELECT problem_id, benchmark, benchmark_id, coalesce(ngrams, 0) AS ngrams, coalesce(overlap, 0) AS overlap,
        coalesce(same, false) AS same
    FROM same
    FULL JOIN shared USING (problem_id, benchmark, benchmark_id)
),
read AS (
    SELECT
        r.problem_id, r.benchmark, r.benchmark_id, r.ngrams, r.overlap, r.same,
        list_has_all(p.numbers, b.numbers) AS numbers,
        [[p.plain, b.plain], [p.ordered, b.ordered]] AS forms
    FROM pairs r
    JOIN forms p ON p.benchmark = '' AND p.id = r.problem_id
    JOIN forms b ON b.benchmark = r.benchmark AND b.id = r.benchmark_id
),
near AS (
    SELECT
        *,
        list_filter(forms, lambda f:
            greatest(len(f[1]), len(f[2])) <= 2000
            AND abs(len(f[1]) - len(f[2])) <= $edit * greatest(len(f[1]), len(f[2]))
            AND regexp_replace(f[1], '(?:\p{L}{2,}|\ba\b) ?', '', 'g')
                = regexp_replace(f[2], '(?:\p{L}{2,}|\ba\b) ?', '', 'g')
        ) AS close
    FROM read
)
SELECT
    problem_id, benchmark, benchmark_id, ngrams, overlap, same,
    $by_ngrams AND overlap >= $overlap AND numbers AS by_ngrams, -- with another number it is another problem
    CASE
        WHEN same THEN 0.0
        ELSE coalesce(list_min(list_transform(
            close, lambda f: levenshtein(f[1], f[2]) / greatest(len(f[1]), len(f[2]))
        )), 1.0)
    END AS edit
FROM near
