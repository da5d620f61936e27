-- grain: one row per dataset, which is `members`: a hash of what they are that no order of theirs changes
SELECT left(md5($kind || coalesce(string_agg(member, '' ORDER BY member), '')), 16) AS dataset_id
FROM members
