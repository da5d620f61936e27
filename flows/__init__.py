"""When: Prefect flows, settings and recipes. No logic, no SQL, no prompts."""
