-- macro: pass_at_k(n, c, k)
-- value: chance that one of k samples is right when c of n are, unbiased (arXiv 2107.03374); NULL unless 1 <= k <= n
-- 1 - C(n-c, k) / C(n, k) as a product of min(c, k) factors: no factorial, nothing cancels
CASE
    WHEN k BETWEEN 1 AND n AND c BETWEEN 0 AND n
        THEN 1 - coalesce(
            list_product(
                list_transform(range(least(c, k)::BIGINT), lambda i_: greatest(n - greatest(c, k) - i_, 0) / (n - i_))
            ), 1
        )
END
