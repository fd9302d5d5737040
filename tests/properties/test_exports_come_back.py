"""Whatever is exported comes back as the same bytes, whichever kind of file and of database."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from algotrade.ingest.files.export import FORMATS, export_candles
from algotrade.ingest.files.restore import import_own
from algotrade.market.candles import Floats, SeriesKey, content_hash
from algotrade.market.span import Span
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import read_candles
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database
from algotrade.store.integrity import check_series, stored_keys
from algotrade.store.removal import drop_series

HOUR = 3_600_000
NUMBERS = count(1)
prices = some.floats(1e-12, 1e12, allow_subnormal=False)
rows = some.lists(some.tuples(some.integers(1, 1000), prices, prices, some.floats(0, 1e15)), min_size=1, max_size=40)
words = some.sampled_from(["BTC/USD", "BRK.B", "1INCH/USDT", "BTC/USDT:USDT"])
origins = some.sampled_from(["official", "import", "trades", "ticker"])


def columns_of(given: list[tuple[int, float, float, float]]) -> Floats:
    first, second = np.array([row[1] for row in given]), np.array([row[2] for row in given])
    high, low = np.maximum(first, second), np.minimum(first, second)
    return np.stack([first, high, low, second, np.array([row[3] for row in given])])


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=rows, symbol=words, origin=origins)
def test_what_is_exported_comes_back_as_the_same_bytes(
    database: Database,
    tmp_path: Path,
    suffix: str,
    given_rows: list[tuple[int, float, float, float]],
    symbol: str,
    origin: str,
) -> None:
    key = SeriesKey(f"exchange{next(NUMBERS)}", symbol, "1h", origin)
    times = np.cumsum([row[0] for row in given_rows]).astype(np.int64) * HOUR
    write_candles(database, key, times, columns_of(given_rows))
    before = content_hash(read_candles(database, key))
    path = tmp_path / f"candles{suffix}"
    export_candles(database, key, Span(), path, force=True)
    assert drop_series(database, key)
    assert key not in stored_keys(database)
    restored = import_own(database, path)
    assert (restored.contents.key, restored.written.added) == (key, len(times))
    assert content_hash(read_candles(database, key)) == before
    assert check_series(database, key).problems == ()
    assert read_coverage(database, key) == []
    assert import_own(database, path).written.unchanged == len(times)
