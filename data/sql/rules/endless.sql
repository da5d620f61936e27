-- drops: a text that goes round in circles, although it stopped
WITH pieces AS ( -- what covers half of a text covers its middle
    SELECT attempt_id, text, size, text[(length(text) - size) // 2 + 1 : (length(text) + size) // 2] AS piece
    FROM candidates
    SEMI JOIN alive USING (attempt_id)
    JOIN (SELECT unnest([16, 32, 64, 128, 256]) AS size) ON length(text) >= 4 * size
)
SELECT DISTINCT attempt_id
FROM pieces
WHERE length(text) - length(replace(text, piece, '')) >= greatest(4 * size, $endless_share * length(text))
