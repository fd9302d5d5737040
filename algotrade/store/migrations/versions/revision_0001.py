"""The first schema: candles by series, what was asked for, markets, runs, verdicts of checks.

A revision is history: it repeats the tables instead of importing them, because those will move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("exchange", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("timeframe", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.UniqueConstraint("exchange", "symbol", "timeframe", "origin", name="series_key"),
    )
    op.create_table(
        "candles",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("close", sa.Double, nullable=False),
        sa.Column("volume", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "time", name="candles_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "coverage",
        sa.Column("series_id", sa.Integer, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("series_id", "start", name="coverage_key"),
    )
    op.execute(
        "CREATE VIEW candle_view AS\n"
        "SELECT exchange, symbol, timeframe, origin, time, open, high, low, close, volume\n"
        "FROM candles JOIN series ON series.id = candles.series_id"
    )
    op.create_table(
        "markets",
        sa.Column("exchange", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("quantity_step", sa.Double, nullable=False),
        sa.Column("price_tick", sa.Double, nullable=False),
        sa.Column("min_quantity", sa.Double, nullable=False),
        sa.Column("min_notional", sa.Double, nullable=False),
        sa.Column("taker_fee", sa.Double),
        sa.Column("maker_fee", sa.Double),
        sa.Column("can_short", sa.Boolean, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name="markets_key"),
    )
    op.create_table(
        "runs",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("timeframe", TEXT, nullable=False),
        sa.Column("strategy", TEXT, nullable=False),
        sa.Column("final_equity", sa.Double),
        sa.Column("document", TEXT, nullable=False),
    )
    op.create_index("ix_runs_created_ms", "runs", ["created_ms"])
    op.create_table(
        "checks",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("document", TEXT, nullable=False),
    )
