-- grain: one row per attempt and drawer: who lies in one drawer has the same prompt's numbers and four minima
SELECT n, key
FROM (
    SELECT n, unnest(list_transform(range(1, 7), lambda i:
            hash(numbers, minima[4 * i - 3], minima[4 * i - 2], minima[4 * i - 1], minima[4 * i]))
        || list_transform(range(1, 7), lambda i:
            hash(numbers, minima[i], minima[i + 6], minima[i + 12], minima[i + 18]))) AS key
    FROM sketched
)
