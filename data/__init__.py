"""Memory: records, the Parquet lake, SQL, expectations, domains, the seed policy. Imports nothing of ours outside."""
