"""The schema, step by step. Alembic runs these; nothing imports them."""
