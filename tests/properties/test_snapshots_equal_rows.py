"""Whatever is written, revised, removed and snapshotted in whatever order: reading gives the rows, bit for bit."""

from __future__ import annotations

from itertools import count

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from algotrade.market.candles import SeriesKey, candle_table
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import Span, read_candles, span
from algotrade.store.database import Database
from algotrade.store.rows import fetch_rows, rows_between, series_id_of
from algotrade.store.snapshots import check_snapshot, invalidate_snapshots, refresh_snapshot
from algotrade.store.tables import candles

MINUTE = 60_000
FIRST, LAST = -3000, 14_000  # around the epoch, so that times of either sign and zero occur

fresh_symbol = (f"S{number}/USD" for number in count()).__next__

places = st.integers(FIRST, LAST)
write = st.tuples(st.just("write"), places, st.integers(1, 6000), st.sampled_from([1, 7]), st.sampled_from([0.1, 2.5]))
remove = st.tuples(st.just("remove"), places, st.integers(1, 500))
refresh = st.tuples(st.just("refresh"))
bounds = st.none() | places


def run(database: Database, key: SeriesKey, operation: tuple[object, ...]) -> None:
    match operation:
        case ("write", int(first), int(bars), int(step), float(price)):
            number = np.arange(first, min(first + bars, LAST), step)
            columns = np.array([number * price, number + price, number - price, number / 3, number * 0.1])
            write_candles(database, key, number * MINUTE, columns)
        case ("remove", int(first), int(bars)):
            with database.writing() as connection:
                series_id = series_id_of(connection, key)
                if series_id is not None:
                    within = candles.c.time.between(first * MINUTE, (first + bars) * MINUTE)
                    connection.execute(delete(candles).where(candles.c.series_id == series_id, within))
                    invalidate_snapshots(connection, series_id, first * MINUTE)
        case _:
            refresh_snapshot(database, key)


def rows_alone(database: Database, key: SeriesKey, start: int | None, end: int | None) -> pd.DataFrame:
    with database.reading() as connection:
        series_id = series_id_of(connection, key)
        return candle_table(*fetch_rows(connection, rows_between(series_id or 0, start, end)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    operations=st.lists(write | write | refresh | remove, max_size=8),
    start=bounds,
    end=bounds,
    last=st.none() | st.integers(0, 9000),
)
def test_reading_equals_the_rows(
    database: Database, operations: list[tuple[object, ...]], start: int | None, end: int | None, last: int | None
) -> None:
    key = SeriesKey("kraken", fresh_symbol(), "1m")  # its own series in the one database of the test
    for operation in [("write", 0, 5000, 1, 0.1), ("refresh",), *operations]:
        run(database, key, operation)
        assert check_snapshot(database, key) is None
    start_ms = None if start is None else start * MINUTE
    end_ms = None if end is None else end * MINUTE
    stored = rows_alone(database, key, start_ms, end_ms)
    expected = stored if last is None else stored.iloc[max(len(stored) - last, 0) :]
    read = read_candles(database, key, start=start_ms, end=end_ms, last=last)
    pd.testing.assert_frame_equal(read, expected, check_exact=True)
    assert read.to_numpy().tobytes() == expected.to_numpy().tobytes()
    times = rows_alone(database, key, None, None).index.as_unit("ms").asi8
    assert span(database, key) == (Span(times[0], times[-1], len(times)) if len(times) else None)
