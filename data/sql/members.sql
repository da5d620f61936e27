-- grain: one row per run, round, dataset, attempt and role in which the dataset has it
-- role: example, chosen or rejected
-- attempt_id: the attempt
-- problem_id: problem that it answers
-- prompt: the question as a model sees it
-- completion: text of the attempt as it is trained on
SELECT run, round, dataset_id, 'example' AS role, attempt_id, problem_id, prompt, completion
FROM examples
UNION ALL
SELECT DISTINCT run, round, dataset_id, 'chosen', chosen_id, problem_id, prompt, chosen
FROM pairs
UNION ALL
SELECT DISTINCT run, round, dataset_id, 'rejected', rejected_id, problem_id, prompt, rejected
FROM pairs
