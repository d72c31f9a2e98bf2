"""Alembic's entry: runs inside the transaction that the migration opened."""

from typing import Any, Literal

from alembic import context

from judge.store.migrate import all_tables


def render_item(type_: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types, so that a migration never imports today's models."""
    if type_ == "type" and type(item).__name__ == "AutoString":
        return "sa.String()"
    if type_ == "type" and type(item).__name__ == "UtcDateTime":
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_tables(),
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
    render_item=render_item,
)
context.run_migrations()
