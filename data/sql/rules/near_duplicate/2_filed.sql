-- grain: one row per attempt and drawer: who lies in one drawer has the same numbers in the prompt and four minima
-- The 20 lines of the affine plane of 16 points: unless 7 minima differ, all of some line are the same.
WITH plane AS (SELECT [
    [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
    [4, 8, 12, 16], [1, 6, 11, 16], [2, 5, 12, 15], [3, 8, 9, 14], [4, 7, 10, 13], [1, 7, 12, 14], [2, 8, 11, 13],
    [3, 5, 10, 16], [4, 6, 9, 15], [1, 8, 10, 15], [2, 7, 9, 16], [3, 6, 12, 13], [4, 5, 11, 14]
] AS lines)
SELECT n, unnest(list_transform(lines, lambda l: hash(numbers, minima[l[1]], minima[l[2]], minima[l[3]], minima[l[4]])))
    AS key
FROM sketched, plane
