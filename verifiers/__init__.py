"""Judges: problem and completion in, verdict out. No Prefect, no model, no network."""
