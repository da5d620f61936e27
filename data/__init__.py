"""Memory: records, the Parquet lake, SQL, expectations, problem domains and the seed policy. Imports nothing of ours outside."""
