"""How an existing database gets from its schema to ours. New databases never come here: see database.py."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection


def upgrade_schema(connection: Connection) -> None:
    """Run the revisions that are missing, inside the caller's transaction."""
    from alembic import command  # half a second to import, needed once in a release
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, "head")
