-- drops: broken characters, or letters of a script that neither the prompt nor the domain's other texts use
WITH unusual AS ( -- control codes, or not ASCII
    SELECT attempt_id, domain, prompt, text
    FROM candidates
    SEMI JOIN alive USING (attempt_id)
    WHERE strlen(text) > length(text) OR regexp_matches(text, '[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]')
),
letters AS ( -- Latin and Greek ones, digits and signs are at home everywhere
    SELECT
        attempt_id, domain,
        regexp_extract_all(text, '[^\p{Latin}\p{Greek}\P{L}]') AS here,
        regexp_extract_all(prompt, '[^\p{Latin}\p{Greek}\P{L}]') AS asked
    FROM unusual
),
scripts AS ( -- blocks of 128 code points; those of East Asia are one
    SELECT
        attempt_id, domain,
        list_distinct(list_transform(here, lambda c: least(unicode(c), 11904) // 128)) AS here,
        list_transform(asked, lambda c: least(unicode(c), 11904) // 128) AS asked
    FROM letters
),
unasked AS (
    SELECT attempt_id, domain, unnest(list_filter(here, lambda s: NOT list_contains(asked, s))) AS script
    FROM scripts
),
texts AS (
    SELECT domain, count(*) AS n
    FROM alive
    GROUP BY domain
)
SELECT attempt_id
FROM unusual
WHERE regexp_matches(text, '[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\x{FFFD}\p{Co}]')
    AND NOT regexp_matches(prompt, '[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\x{FFFD}\p{Co}]')
UNION
SELECT attempt_id
FROM unasked
JOIN texts USING (domain)
QUALIFY count(*) OVER (PARTITION BY domain, script) - 1 <= $foreign_share * (n - 1)
