-- grain: one row per run, round, attempt and step: each one that was checked, else each line of the attempt
-- index: number of the step in its attempt, from 0
-- text: the step as it was written; NULL where its check does not count lines or parts (stacks, plan, proof)
-- kind: the check: same_value, same_solution, trace, stacks, plan, proof; NULL: not checked
-- outcome: correct, incorrect or unverified; NULL: not checked
-- reason: what decided, in words; NULL: not checked
WITH written AS (
    SELECT
        run, round, id AS attempt_id,
        list_filter(
            string_split(string_split(text, '</think>')[-1], chr(10)),
            lambda line: regexp_matches(line, '[^\s\v\x1c-\x1f\x{85}\p{Z}]')
        ) AS lines
    FROM attempts
),
checked AS (
    SELECT
        s.run, s.round, s.attempt_id, s.index,
        CASE
            WHEN s.kind IN ('same_value', 'same_solution') THEN w.lines[s.index + 1]
            WHEN s.kind = 'trace' THEN string_split(w.lines[1], '>')[s.index + 1]
        END AS text,
        s.kind, s.outcome, s.reason
    FROM step_verdicts s
    LEFT JOIN written w ON w.run = s.run AND w.round = s.round AND w.attempt_id = s.attempt_id
),
unchecked AS (
    SELECT w.run, w.round, w.attempt_id, unnest(range(len(w.lines))) AS index, unnest(w.lines) AS text
    FROM written w
    ANTI JOIN step_verdicts s ON s.run = w.run AND s.round = w.round AND s.attempt_id = w.attempt_id
)
FROM checked
UNION ALL
SELECT *, NULL, NULL, NULL
FROM unchecked
