-- grain: one row per living attempt; n: its place by draw; shingles: hashes of its runs of three tokens
WITH ranked AS (
    SELECT attempt_id, row_number() OVER (ORDER BY draw, attempt_id)::INTEGER AS n
    FROM alive
),
split AS ( -- a word, a number and a sign are one token each; white space and case are none
    SELECT
        n, attempt_id, hash(regexp_extract_all(prompt, '[0-9]+')) AS numbers,
        string_split(replace(regexp_replace(lower(text), '([\pP\pS])', ' \1 ', 'g'), chr(10), ' '), ' ') AS tokens
    FROM candidates
    JOIN ranked USING (attempt_id)
),
hashed AS (
    SELECT n, attempt_id, numbers, list_filter(list_transform(tokens, lambda t: hash(t)), lambda h: h <> hash('')) AS h
    FROM split
)
SELECT
    n, attempt_id, numbers,
    list_transform(h[:greatest(1, len(h) - 2)], lambda x, i: (hash(x, h[i + 1], h[i + 2]) >> 32)::UINTEGER) AS shingles
FROM hashed
