-- grain: one row per problem, text and verifier version of round $round that got several outcomes (unverified aside)
SELECT
    t.problem_id, v.verifier, v.version, min(t.attempt_id) AS first_attempt, max(t.attempt_id) AS last_attempt,
    min(v.outcome) || ' and ' || max(v.outcome) AS outcomes
FROM checked_texts t
JOIN verdicts v ON v.attempt_id = t.attempt_id AND v.round = $round
WHERE v.outcome <> 'unverified'
GROUP BY t.problem_id, t.same, v.verifier, v.version
HAVING min(v.outcome) <> max(v.outcome)
