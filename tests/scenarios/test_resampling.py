"""Finer candles become exactly the coarser ones of an exchange, on the demo market and on files of Kraken's own."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algotrade.market.candles import COLUMNS, Reach, candle_table, content_hash, resample, times_ms
from algotrade.market.simulate import SYMBOLS, simulate_candles
from algotrade.market.span import parse_time

SHARED = Path(os.environ.get("ALGOTRADE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
HOUR, DAY = 3_600_000, 86_400_000
PRICES = ["open", "high", "low", "close"]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_days_from_minutes_from_hours_and_the_demo_exchange_are_the_same_bytes(symbol: str) -> None:
    start, end = parse_time("2021-03-01"), parse_time("2021-03-15") - 1
    minutes = simulate_candles(symbol, "1m", start, end)

    days = resample(minutes, "1m", "1d")

    assert content_hash(days) == content_hash(resample(resample(minutes, "1m", "1h"), "1h", "1d"))
    assert content_hash(days) == content_hash(simulate_candles(symbol, "1d", start, end))


def test_days_from_minutes_and_from_hours_agree_with_volumes_of_eight_places() -> None:
    minutes = simulate_candles("BTC/USD", "1m", parse_time("2021-03-01"), parse_time("2021-03-15") - 1)
    volumes = np.random.default_rng(7).integers(0, 10**11, len(minutes)) / 1e8
    minutes = candle_table(times_ms(minutes), [*(minutes[name] for name in PRICES), volumes])

    days = resample(minutes, "1m", "1d")

    assert content_hash(days) == content_hash(resample(resample(minutes, "1m", "1h"), "1h", "1d"))
    added = [day.volume.sum() for _, day in minutes.groupby(minutes.index.floor("D"))]
    assert days["volume"].tolist() != added  # which is why they are not summed as floats


@pytest.mark.parametrize(
    ("name", "complete", "to_eight_places"), [("kraken_btcusd", 3_367, 2_155), ("kraken_ethusd", 2_786, 841)]
)
def test_hours_of_kraken_become_its_days(name: str, complete: int, to_eight_places: int) -> None:
    """To the last bit where volumes are written to eight places; where some have ten, the others are rounded ones."""
    if not SHARED.joinpath(f"{name}_1h.parquet").exists():
        pytest.skip(f"{name}_1h.parquet is not here")
    hours = table(pd.read_parquet(SHARED / f"{name}_1h.parquet"))
    written = pd.read_csv(SHARED / f"{name}_1d.csv.gz", dtype=str)
    official = table(written)
    last_hour_is_cut = pd.Timestamp("2023-03-31", tz="UTC")  # in the file of ETH/USD

    days = resample(hours, "1h", "1d").drop(last_hour_is_cut, errors="ignore")

    common = days.index.intersection(official.index)
    assert len(common) == len(days) == complete
    assert days.loc[common, PRICES].equals(official.loc[common, PRICES])
    places = written["volume"].str.partition(".")[2].str.len().set_axis(official.index)
    whole = (hours["volume"].round(8) == hours["volume"]).groupby(hours.index.floor("D")).all()
    exact = common[(places[common] <= 8) & whole[common]]
    assert len(exact) == to_eight_places
    assert days.loc[exact, "volume"].equals(official.loc[exact, "volume"])
    assert (days["volume"] - official["volume"][common]).abs().max() < 24 * 0.5e-8


def table(rows: pd.DataFrame) -> pd.DataFrame:
    index = pd.DatetimeIndex(pd.to_datetime(rows["timestamp"], utc=True))
    return candle_table(times_ms(rows.set_index(index)), [rows[name].astype(float) for name in COLUMNS])


# ---- complete or absent ----------------------------------------------------------------------------------------------
def test_a_bar_with_a_hole_that_is_no_want_of_trades_is_left_out() -> None:
    start = parse_time("2024-01-01")
    hours = simulate_candles("BTC/USD", "1h", start, start + 4 * DAY - 1)
    holes = hours.drop(hours.index[[5, 30, 50]])
    reach = Reach(
        start, start + 4 * DAY, [(start + 30 * HOUR, start + 31 * HOUR), (start + 95 * HOUR, start + 96 * HOUR)]
    )

    days = resample(holes, "1h", "1d", reach)

    assert [(time - start) // DAY for time in times_ms(days).tolist()] == [0, 2]
    assert days["volume"].iloc[0] == holes["volume"].iloc[:23].sum()


def test_what_is_known_to_reach_further_completes_the_bars_at_the_ends() -> None:
    start = parse_time("2024-01-01")
    hours = simulate_candles("BTC/USD", "1h", start + HOUR, start + 2 * DAY - 1 - HOUR)

    assert len(resample(hours, "1h", "1d")) == 0
    assert len(resample(hours, "1h", "1d", Reach(start - DAY, start + 3 * DAY))) == 2


def test_a_span_that_ends_where_a_bar_begins_spoils_neither_neighbour() -> None:
    start = parse_time("2024-01-01")
    hours = simulate_candles("BTC/USD", "1h", start, start + 3 * DAY - 1)

    days = resample(hours, "1h", "1d", Reach(start, start + 3 * DAY, [(start + DAY, start + 2 * DAY)]))

    assert [(time - start) // DAY for time in times_ms(days).tolist()] == [0, 2]
