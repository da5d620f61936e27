-- grain: one row per problem of round $round; `gold_fault`: why its gold cannot be one, empty when it may be
WITH tried AS (
    SELECT
        id AS problem_id, domain, level, verifier, source, split, prompt IS NULL OR trim(prompt) = '' AS no_prompt,
        prompt IN (SELECT prompt FROM leaked) AS held_out,
        TRY(json_extract_string(gold, '$.kind')) AS kind,
        TRY(json_keys(gold)) AS keys
    FROM problems
    WHERE round = $round
)
SELECT
    t.problem_id, t.domain, t.level, t.verifier, t.source, t.split, t.no_prompt, t.held_out,
    CASE
        WHEN t.keys IS NULL THEN 'it is no JSON'
        WHEN k.kind IS NULL THEN 'its kind is ' || coalesce(t.kind, 'not given')
        WHEN NOT list_has_all(t.keys, k.needs) THEN 'it lacks some of ' || array_to_string(k.needs, ', ')
        ELSE ''
    END AS gold_fault
FROM tried t
LEFT JOIN gold_kinds k ON k.kind = t.kind
