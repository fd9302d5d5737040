"""Refused and revised candles, snapshots, trades with their proof, outages.

A revision is history: it repeats the tables instead of importing them, because those will move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = ("open", "high", "low", "close", "volume")


def upgrade() -> None:
    """Add the tables; what is stored stays as it is."""
    op.create_table(
        "quarantine",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger),
        *(sa.Column(name, sa.Double) for name in COLUMNS),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "fingerprint", name="quarantine_key"),
    )
    op.create_table(
        "revisions",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        *(sa.Column(f"old_{name}", sa.Double, nullable=False) for name in COLUMNS),
        *(sa.Column(f"new_{name}", sa.Double, nullable=False) for name in COLUMNS),
        sa.PrimaryKeyConstraint("series_id", "time", "seen_ms", name="revisions_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshots",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "hash", name="snapshots_key"),
    )
    op.create_table(
        "trades",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("time_ns", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("trade_id", TEXT),
        sa.Column("price", sa.Double, nullable=False),
        sa.Column("quantity", sa.Double, nullable=False),
        sa.Column("side", TEXT),
        sa.PrimaryKeyConstraint("series_id", "time_ns", "sequence", name="trades_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trade_progress",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("series_id", name="trade_progress_key"),
    )
    op.create_table(
        "trade_days",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("day", sa.BigInteger, nullable=False),
        sa.Column("trades", sa.BigInteger, nullable=False),
        sa.Column("pages", sa.BigInteger, nullable=False),
        sa.Column("first_cursor", TEXT, nullable=False),
        sa.Column("last_cursor", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("kept", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "day", name="trade_days_key"),
    )
    op.create_table(
        "outages",
        sa.Column("exchange", TEXT, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger),
        sa.Column("evidence", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "start", name="outages_key"),
    )
