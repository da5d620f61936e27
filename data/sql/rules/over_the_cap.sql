-- drops: what a problem has beyond its cap; of its answers, those that share the fewest words stay
WITH RECURSIVE crowded AS (
    SELECT attempt_id, problem_id, row_number() OVER (PARTITION BY problem_id ORDER BY draw, attempt_id) AS turn
    FROM alive
    QUALIFY count(*) OVER (PARTITION BY problem_id) > $per_problem
),
words AS MATERIALIZED ( -- two words of one hash only make two answers look a little more alike
    SELECT
        attempt_id,
        list_distinct(list_transform(string_split(replace(text, chr(10), ' '), ' '), lambda w: hash(w))) AS words
    FROM candidates
    JOIN crowded USING (attempt_id)
    WHERE turn <= $compared AND $per_problem BETWEEN 2 AND $compared - 1
),
chosen AS ( -- the first drawn, then again and again the one least like any that is taken (Jaccard of word sets)
    SELECT
        attempt_id, problem_id, turn, turn <= if($per_problem < $compared, 1, $per_problem) AS taken,
        0.0::DOUBLE AS alike, 1 AS picks
    FROM crowded
    WHERE turn <= greatest($compared, $per_problem)
    UNION ALL
    SELECT
        attempt_id, problem_id, turn,
        row_number() OVER (PARTITION BY problem_id ORDER BY nearest, turn) = 1 AS taken, nearest AS alike, picks + 1
    FROM (
        SELECT
            c.*, len(list_filter(a.words, lambda w: list_contains(b.words, w))) AS common,
            greatest(c.alike, common / (len(a.words) + len(b.words) - common)) AS nearest
        FROM chosen c
        JOIN chosen t ON t.problem_id = c.problem_id AND t.taken AND NOT c.taken
        JOIN words a ON a.attempt_id = c.attempt_id
        JOIN words b ON b.attempt_id = t.attempt_id
        WHERE c.picks < $per_problem AND $per_problem < $compared
    )
)
SELECT attempt_id
FROM crowded
WHERE attempt_id NOT IN (SELECT attempt_id FROM chosen WHERE taken)
