-- grain: one row per living attempt with tokens; minima: 24 of its shingles, each the first in an order of its own
WITH orders AS (SELECT list((i << 27)::UINTEGER ORDER BY i) AS masks FROM range(12) o(i))
SELECT
    n, numbers,
    list_transform(masks, lambda m: list_min(list_transform(shingles, lambda x: xor(x, m))))
    || list_transform(masks, lambda m: list_max(list_transform(shingles, lambda x: xor(x, m)))) AS minima
FROM shingled, orders
WHERE len(shingles) > 0
