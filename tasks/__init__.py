"""How: one file per stage, pure functions on top and one thin Prefect task at the bottom."""
