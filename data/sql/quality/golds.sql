-- grain: one row per problem of round $round whose gold is read as the verifiers read it: at most $golds of a verifier
SELECT id AS problem_id, gold
FROM problems
WHERE round = $round
QUALIFY row_number() OVER (PARTITION BY verifier ORDER BY md5(id)) <= $golds
