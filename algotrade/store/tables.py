"""The tables. Rows are the truth: anyone's SQL can read them, `candle_view` without a join.

Times are integer milliseconds since the epoch, UTC: in SQLite `datetime(time / 1000, 'unixepoch')` makes them readable.
A change here needs a revision in migrations/versions and a new SCHEMA; a test compares the two ways to the schema.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.sql.dml import Insert

from algotrade.market.candles import COLUMNS

SCHEMA: Final = "0003"  # revisions are numbered, so that older and newer can be told apart as text
BASE: Final = "0000"

# Ordered by its bytes, as SQLite does it, whatever the language of a PostgreSQL server.
TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata: Final = MetaData()

revision: Final = Table(
    "algotrade_schema",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="algotrade_schema_pkc"),
)

series: Final = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("exchange", TEXT, nullable=False),
    Column("symbol", TEXT, nullable=False),
    Column("timeframe", TEXT, nullable=False),
    Column("origin", TEXT, nullable=False),
    UniqueConstraint("exchange", "symbol", "timeframe", "origin", name="series_key"),
)

candles: Final = Table(
    "candles",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("volume", Double, nullable=False),
    PrimaryKeyConstraint("series_id", "time", name="candles_key"),
    sqlite_with_rowid=False,
)

coverage: Final = Table(
    "coverage",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "start", name="coverage_key"),
)

# Candles that were refused, as they came: NULL where a value was none. `fingerprint` keeps a row from being kept twice.
quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("fingerprint", TEXT, nullable=False),
    Column("time", BigInteger),
    Column("open", Double),
    Column("high", Double),
    Column("low", Double),
    Column("close", Double),
    Column("volume", Double),
    Column("reason", TEXT, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "fingerprint", name="quarantine_key"),
)

# Stored candles that came again with other values: what was stored before, and what is from then on.
revisions: Final = Table(
    "revisions",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    *(Column(f"old_{name}", Double, nullable=False) for name in COLUMNS),
    *(Column(f"new_{name}", Double, nullable=False) for name in COLUMNS),
    PrimaryKeyConstraint("series_id", "time", "seen_ms", name="revisions_key"),
    sqlite_with_rowid=False,
)

# The file that holds a series' candles from `first` to `last` in columns, named by their hash; see snapshots.py. One
# that is being made has no rows yet. Who touches a candle at or before `last` deletes the row in the same transaction.
snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("hash", TEXT, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "hash", name="snapshots_key"),
)

# Public trades, kept on request. `sequence` tells apart those of one nanosecond; times are nanoseconds since the epoch.
trades: Final = Table(
    "trades",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("trade_id", TEXT),
    Column("price", Double, nullable=False),
    Column("quantity", Double, nullable=False),
    Column("side", TEXT),
    PrimaryKeyConstraint("series_id", "time_ns", "sequence", name="trades_key"),
    sqlite_with_rowid=False,
)

# Where the download of a series' trades stands, as JSON.
trade_progress: Final = Table(
    "trade_progress",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("state", TEXT, nullable=False),
    PrimaryKeyConstraint("series_id", name="trade_progress_key"),
)

# The proof that a day's trades are all there: how many, by which unbroken chain of cursors, and a hash of them.
# `kept` of them are stored themselves, among the trades.
trade_days: Final = Table(
    "trade_days",
    metadata,
    Column("series_id", Integer, ForeignKey("series.id"), nullable=False),
    Column("day", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("first_cursor", TEXT, nullable=False),
    Column("last_cursor", TEXT, nullable=False),
    Column("digest", TEXT, nullable=False),
    Column("kept", BigInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "day", name="trade_days_key"),
)

# When an exchange said that it was down while we asked; `end` is when it answered again.
outages: Final = Table(
    "outages",
    metadata,
    Column("exchange", TEXT, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger),
    Column("evidence", TEXT, nullable=False),
    PrimaryKeyConstraint("exchange", "start", name="outages_key"),
)

# What long pays short at a settlement of a perpetual contract, as a fraction of the notional; see funding.py.
funding: Final = Table(
    "funding",
    metadata,
    Column("exchange", TEXT, nullable=False),
    Column("symbol", TEXT, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("rate", Double, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", "time", name="funding_key"),
    sqlite_with_rowid=False,
)

CANDLE_VIEW: Final = """\
CREATE VIEW candle_view AS
SELECT exchange, symbol, timeframe, origin, time, open, high, low, close, volume
FROM candles JOIN series ON series.id = candles.series_id"""


@event.listens_for(metadata, "after_create")
def _create_view(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    connection.exec_driver_sql(CANDLE_VIEW)


markets: Final = Table(
    "markets",
    metadata,
    Column("exchange", TEXT, nullable=False),
    Column("symbol", TEXT, nullable=False),
    Column("quantity_step", Double, nullable=False),
    Column("price_tick", Double, nullable=False),
    Column("min_quantity", Double, nullable=False),
    Column("min_notional", Double, nullable=False),
    Column("taker_fee", Double),
    Column("maker_fee", Double),
    Column("can_short", Boolean, nullable=False),
    Column("updated", BigInteger, nullable=False),
    PrimaryKeyConstraint("exchange", "symbol", name="markets_key"),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("created_ms", BigInteger, nullable=False, index=True),
    Column("kind", TEXT, nullable=False),
    Column("symbol", TEXT, nullable=False),
    Column("timeframe", TEXT, nullable=False),
    Column("strategy", TEXT, nullable=False),
    Column("final_equity", Double),
    Column("document", TEXT, nullable=False),
)

checks: Final = Table(
    "checks",
    metadata,
    Column("key", TEXT, primary_key=True),
    Column("document", TEXT, nullable=False),
)


def upsert(table: Table) -> Insert:
    """INSERT that takes the new values where the key exists.

    It is written in PostgreSQL's form, which SQLite took over: SQLAlchemy's own for SQLite fits SQLite alone.
    """
    from sqlalchemy.dialects import postgresql  # 15 ms that reading does without

    keys = list(table.primary_key.columns)
    statement = postgresql.insert(table)
    values: dict[Any, Any] = {
        column.name: statement.excluded[column.name] for column in table.columns if column not in set(keys)
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=values)
