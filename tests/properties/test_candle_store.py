"""Any sequence of overlapping writes leaves what a dictionary would hold, and counts what it would count."""

from __future__ import annotations

from itertools import count

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algotrade.market.candles import SeriesKey, times_ms
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import Span, read_candles, span
from algotrade.store.database import Database

MINUTE = 60_000
prices = st.sampled_from([1.0, 1.5, 2.0, 0.1 + 0.2])  # few, so that unchanged and revised rows both happen
writes = st.lists(st.dictionaries(st.integers(0, 12), prices, max_size=8), max_size=6)
bounds = st.none() | st.integers(-1, 13)

fresh_symbol = (f"S{number}/USD" for number in count()).__next__


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=writes, start=bounds, end=bounds, last=st.none() | st.integers(0, 14))
def test_the_store_equals_a_dictionary(
    database: Database,
    batches: list[dict[int, float]],
    start: int | None,
    end: int | None,
    last: int | None,
) -> None:
    key = SeriesKey("kraken", fresh_symbol(), "1m")  # its own series in the one database of the test
    model: dict[int, float] = {}
    for batch in batches:
        rows = dict(sorted(batch.items()))
        expected = (
            len(rows.keys() - model.keys()),
            sum(model.get(minute) == price for minute, price in rows.items()),
            sum(minute in model and model[minute] != price for minute, price in rows.items()),
        )
        times = np.array(list(rows), np.int64) * MINUTE
        assert write_candles(database, key, times, np.tile(list(rows.values()), (5, 1))) == expected
        model |= rows
    low = -1 if start is None else start
    high = 13 if end is None else end
    kept = sorted(minute for minute in model if low <= minute <= high)
    kept = kept if last is None else kept[len(kept) - min(last, len(kept)) :]
    candles = read_candles(
        database,
        key,
        start=None if start is None else start * MINUTE,
        end=None if end is None else end * MINUTE,
        last=last,
    )
    assert times_ms(candles).tolist() == [minute * MINUTE for minute in kept]
    assert candles.to_numpy().tolist() == [[model[minute]] * 5 for minute in kept]
    assert span(database, key) == (Span(min(model) * MINUTE, max(model) * MINUTE, len(model)) if model else None)
