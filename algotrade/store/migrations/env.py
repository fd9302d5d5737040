"""What alembic runs to upgrade: our connection, our transaction, our name for its version table."""

from alembic import context

from algotrade.store.tables import revision

context.configure(connection=context.config.attributes["connection"], version_table=revision.name)
context.run_migrations()
