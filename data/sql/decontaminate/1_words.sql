-- grain: one row per text of `texts`: its words, numbers and signs in order; ¶ ends a clause, ? a question
-- Case, white space, punctuation, numerals (`three`, `1,000`) and kinds of dashes are made alike.
-- `tokens`: hashes of the words, without marks and line numbers; equal texts have equal tokens, seldom others too.
-- `bag`: the same in whatever order the tokens stand; `numbered_bag`: of the tokens and the line numbers.
WITH alike AS (
    SELECT
        benchmark, id,
        regexp_replace(
            translate(lower(left(text, $longest)), '−–—×·÷' || chr(160), '---**/ '),
            '([0-9]),([0-9]{3})\b', '\1\2', 'g'
        ) AS text
    FROM texts
),
numbered AS ( -- `Question 7:` goes, and the number of a line is marked with №
    SELECT
        benchmark, id,
        regexp_replace(
            regexp_replace(text, '^\s*(?:question|problem|exercise|q)[ \t]*[0-9]*[.:)]\s+', ''),
            '(?m)^[ \t]*\(?([0-9]{1,3}|[a-z])[.)][ \t]+([^\s+*/^=<>|,.)-])', '№\1 \2', 'g'
        ) AS text
    FROM alike
),
parted AS (
    SELECT
        benchmark, id,
        regexp_replace(
            replace(text, '?', '? ¶ '),
            '([a-z])!+|[.;:]+(?:\s+|$)|\n|,\s+([a-z]+\s+[a-z]+\s|[a-z]\s*=)', -- not the items of a list
            '\1 ¶ \2', 'g'
        ) AS text
    FROM numbered
),
read AS (
    SELECT
        benchmark, id,
        list_transform(
            regexp_extract_all(
                text,
                '№[0-9a-z]+|[\p{Han}\p{Hiragana}\p{Katakana}]|\p{L}+|[0-9]+(?:\.[0-9]+)?!?|'
                || '[^\p{L}\p{Z}\p{C}0-9.,:;!''"’‘“”`´$]'
            ),
            lambda w: CASE
                WHEN w IN ('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten')
                    THEN (list_position(
                        ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'], w
                    ) - 1)::VARCHAR
                ELSE w
            END
        ) AS words
    FROM parted
),
hashed AS (
    SELECT
        *,
        list_transform(
            list_filter(words, lambda w: w NOT IN ('¶', '?') AND w[1] <> '№'), lambda w: hash(w)
        ) AS tokens,
        list_transform(list_filter(words, lambda w: w[1] = '№'), lambda w: hash(w[2:])) AS numbers
    FROM read
)
SELECT
    benchmark, id, words, tokens,
    hash(len(tokens), list_sum(tokens)) AS bag,
    hash(len(tokens) + len(numbers), list_sum(tokens) + coalesce(list_sum(numbers), 0)) AS numbered_bag
FROM hashed
