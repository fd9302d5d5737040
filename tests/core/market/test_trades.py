"""Candles from trades: exact to the last bit of the volume, and the same however the trades arrive."""

from __future__ import annotations

import gzip
import json
import os
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algotrade.errors import FixData
from algotrade.market.trades import NS_PER_MS, Bars, CandleBuilder

MINUTE = 60_000
SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
HOUR = SHARED / "trades_kraken_btcusd_2019-07-01T00.csv.gz"
OFFICIAL = SHARED / "kraken_btcusd_1h.parquet"

Trade = tuple[int, float, float]  # time in nanoseconds, price, quantity
Row = tuple[float, ...]


def feed(builder: CandleBuilder, trades: list[Trade]) -> list[Row]:
    times = np.array([trade[0] for trade in trades], np.int64)
    prices, quantities = (np.array([trade[at] for trade in trades], np.float64) for at in (1, 2))
    return rows_of(builder.add(times, prices, quantities))


def rows_of(bars: Bars) -> list[Row]:
    return [(time, *values) for time, values in zip(bars.times.tolist(), bars.columns.T.tolist(), strict=True)]


def by_hand(trades: list[Trade], step_ms: int) -> list[Row]:
    """Every bar, the newest one too, written down without any cleverness."""
    rows: list[Row] = []
    for time, group in groupby(trades, key=lambda trade: trade[0] // NS_PER_MS // step_ms * step_ms):
        members = list(group)
        prices = [price for _, price, _ in members]
        volume = float(sum(Decimal(repr(quantity)) for _, _, quantity in members))
        rows.append((time, prices[0], max(prices), min(prices), prices[-1], volume))
    return rows


def at(seconds: float, price: float = 10.0, quantity: float = 1.0) -> Trade:
    return int(seconds * 1000) * NS_PER_MS, price, quantity


def test_a_bar_is_over_when_a_trade_of_a_later_bar_is_seen() -> None:
    builder = CandleBuilder("1m")
    assert feed(builder, [at(1, 10.0, 0.5), at(2, 12.0), at(3, 9.0), at(59.999, 11.0)]) == []
    assert feed(builder, [at(60, 20.0, 3.0)]) == [(0, 10.0, 12.0, 9.0, 11.0, 3.5)]
    assert builder.finished_until() == MINUTE


def test_minutes_without_trades_have_no_bar() -> None:
    assert [row[0] for row in feed(CandleBuilder("1m"), [at(0), at(300), at(900)])] == [0, 300_000]


def test_the_exchange_s_time_ends_a_bar_and_a_late_trade_corrects_it() -> None:
    builder = CandleBuilder("1m")
    feed(builder, [at(1, 10.0)])
    before = builder.state()
    assert rows_of(builder.finish(MINUTE - 1)) == []
    assert rows_of(builder.finish(MINUTE)) == [(0, 10.0, 10.0, 10.0, 10.0, 1.0)]
    assert builder.state() == before
    feed(builder, [at(59, 12.0)])
    assert rows_of(builder.finish(MINUTE)) == [(0, 10.0, 12.0, 10.0, 12.0, 2.0)]


def test_nothing_is_finished_before_the_first_trade() -> None:
    builder = CandleBuilder("1m")
    assert feed(builder, []) == []
    assert rows_of(builder.finish(10 * MINUTE)) == []
    assert builder.finished_until() is None


def test_a_bar_that_began_before_the_start_is_left_out_whole() -> None:
    builder = CandleBuilder("1m", start_ms=30_000)
    assert feed(builder, [at(40)]) == []
    assert feed(builder, [at(50), at(60, 7.0), at(120)]) == [(MINUTE, 7.0, 7.0, 7.0, 7.0, 1.0)]


def test_weeks_begin_on_monday() -> None:
    builder = CandleBuilder("1w")
    tuesday, monday = at(5 * 86_400), at(11 * 86_400)  # the 6th and the 12th of January 1970
    assert [row[0] for row in feed(builder, [tuesday, monday])] == [4 * 86_400_000]


def test_volume_is_the_decimal_sum_rounded_once() -> None:
    tenths: list[Trade] = [at(second, 1.0, 0.1) for second in range(10)]
    assert np.cumsum([0.1] * 10)[-1] != 1.0  # added one after the other
    assert feed(CandleBuilder("1m"), [*tenths, at(60)])[0][5] == 1.0


@pytest.mark.parametrize("quantity", [1e-18, 0.1234567890123456, 3e15, 1e300, 123456789012.12345678])
def test_volume_is_exact_for_quantities_of_any_size(quantity: float) -> None:
    trades = [at(1, 1.0, 0.1), at(2, 1.0, quantity), at(3, 1.0, 0.2), at(60)]
    assert feed(CandleBuilder("1m"), trades)[0][5] == float(Decimal("0.3") + Decimal(repr(quantity)))


def test_large_volumes_do_not_overflow() -> None:
    trades = [at(second / 100, 1.0, 8e7) for second in range(5000)]
    assert feed(CandleBuilder("1m"), [*trades, at(60)])[0][5] == 4e11


@pytest.mark.parametrize(
    ("price", "quantity"),
    [(float("nan"), 1.0), (0.0, 1.0), (-1.0, 1.0), (float("inf"), 1.0), (1.0, float("nan")), (1.0, -1.0)],
)
def test_a_trade_that_cannot_be_is_refused_and_nothing_taken_in(price: float, quantity: float) -> None:
    builder = CandleBuilder("1m")
    feed(builder, [at(1)])
    before = builder.state()
    with pytest.raises(FixData, match="1970-01-01T00:00:03Z cannot be"):
        feed(builder, [at(2), at(3, price, quantity)])
    assert builder.state() == before


def test_a_falling_time_is_refused_within_a_block_and_between_blocks() -> None:
    builder = CandleBuilder("1m")
    with pytest.raises(FixData, match="comes after a later one"):
        feed(builder, [at(5), at(4)])
    feed(builder, [at(5)])
    with pytest.raises(FixData, match="00:00:04Z comes after a later one"):
        feed(builder, [at(4)])


trades_of_minutes = st.lists(
    st.tuples(
        st.integers(0, 5 * MINUTE).map(lambda ms: ms * NS_PER_MS),
        st.sampled_from([9.5, 10.0, 10.1]),
        st.sampled_from([0.0, 0.1, 0.00000001, 0.2, 1234.56789012, 1e-12]),
    ),
    max_size=30,
).map(lambda trades: sorted(trades, key=lambda trade: trade[0]))


@given(trades=trades_of_minutes, cuts=st.lists(st.integers(0, 30)), data=st.data())
def test_any_cut_into_pages_and_any_resume_give_the_bars_made_by_hand(
    trades: list[Trade], cuts: list[int], data: st.DataObject
) -> None:
    whole = CandleBuilder("1m")
    feed(whole, trades)
    builder, rows = CandleBuilder("1m"), list[Row]()
    edges = sorted({0, len(trades), *(cut for cut in cuts if cut < len(trades))})
    for begin, end in pairwise(edges):
        rows += feed(builder, trades[begin:end])
        if data.draw(st.booleans()):
            builder = CandleBuilder.resume(json.loads(json.dumps(builder.state())))
    assert json.dumps(builder.state()) == json.dumps(whole.state())
    assert rows + rows_of(builder.finish(10 * MINUTE)) == by_hand(trades, MINUTE)


@pytest.mark.skipif(not HOUR.exists(), reason=f"{HOUR.name} is not here")
def test_an_hour_of_real_trades_becomes_exactly_the_official_candle() -> None:
    with gzip.open(HOUR) as file:
        table = pd.read_csv(file)
    table = table.drop(index=1000)  # the trade at the edge of two pages, which is there twice
    times = pd.DatetimeIndex(table["timestamp"]).as_unit("ns").asi8
    builder = CandleBuilder("1h")
    builder.add(times, table["price"].to_numpy(), table["amount"].to_numpy())
    start = pd.Timestamp("2019-07-01", tz="UTC")
    official = pd.read_parquet(OFFICIAL).set_index("timestamp").loc[start]
    expected = tuple(official[["open", "high", "low", "close", "volume"]])
    assert rows_of(builder.finish(1_561_942_800_000)) == [(1_561_939_200_000, *expected)]
    assert len(table) == official["trades"]
