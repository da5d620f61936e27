-- drops: nearly the same answer as one that stays
WITH RECURSIVE fate (n, kept) USING KEY (n) AS (
    SELECT DISTINCT earlier, true
    FROM near
    WHERE earlier NOT IN (SELECT later FROM near)
    UNION
    SELECT e.later, NOT coalesce(bool_or(f.kept), false)
    FROM near e
    LEFT JOIN recurring.fate f ON f.n = e.earlier
    WHERE e.later NOT IN (SELECT n FROM recurring.fate)
    GROUP BY e.later
    HAVING bool_or(f.kept) OR count(*) = count(f.n)
)
SELECT attempt_id
FROM fate
JOIN sketched USING (n)
WHERE NOT kept
