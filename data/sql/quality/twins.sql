-- grain: one row per problem, text and verifier version of round $round; `unverified` is no outcome here
SELECT
    t.problem_id, v.verifier, v.version, min(t.attempt_id) AS first_attempt, max(t.attempt_id) AS last_attempt,
    min(v.outcome) AS one_outcome, max(v.outcome) AS other_outcome
FROM checked_texts t
JOIN verdicts v ON v.attempt_id = t.attempt_id AND v.round = $round
WHERE v.outcome <> 'unverified'
GROUP BY t.problem_id, t.same, v.verifier, v.version
