"""Funding rates of perpetual contracts.

A revision is history: it repeats the tables instead of importing them, because those will move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table; what is stored stays as it is."""
    op.create_table(
        "funding",
        sa.Column("exchange", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("rate", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "time", name="funding_key"),
        sqlite_with_rowid=False,
    )
