-- grain: one row per living attempt that says something; n: its place by draw
-- shingles: hashes of its runs of three tokens; minima: 16 of them, each the first or last in one of eight orders
WITH ranked AS (
    SELECT attempt_id, row_number() OVER (ORDER BY draw, attempt_id)::INTEGER AS n
    FROM alive
),
given AS MATERIALIZED ( -- of a table every core would take 100,000 rows, of this it takes a few
    SELECT n, attempt_id, prompt, text
    FROM candidates
    JOIN ranked USING (attempt_id)
),
split AS ( -- a word, a number and a sign are one token each; white space and case are none
    SELECT
        n, attempt_id, hash(regexp_extract_all(prompt, '[0-9]+')) AS numbers,
        string_split(replace(regexp_replace(lower(text), '([\pP\pS])', ' \1 ', 'g'), chr(10), ' '), ' ') AS tokens
    FROM given
),
hashed AS (
    SELECT n, attempt_id, numbers, list_filter(list_transform(tokens, lambda t: hash(t)), lambda h: h <> hash('')) AS h
    FROM split
),
shingled AS (
    SELECT
        n, attempt_id, numbers,
        list_transform(h[:greatest(1, len(h) - 2)], lambda x, i: (hash(x, h[i + 1], h[i + 2]) >> 32)::UINTEGER)
        AS shingles
    FROM hashed
    WHERE len(h) > 0
),
orders AS (SELECT list((i << 28)::UINTEGER ORDER BY i) AS masks FROM range(8) o(i))
SELECT
    n, attempt_id, numbers, shingles,
    list_transform(masks, lambda m: list_min(list_transform(shingles, lambda x: xor(x, m))))
    || list_transform(masks, lambda m: list_max(list_transform(shingles, lambda x: xor(x, m)))) AS minima
FROM shingled, orders
