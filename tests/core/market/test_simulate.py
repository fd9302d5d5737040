"""The demo market: the same for whoever asks, and like the real thing where a strategy would notice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algotrade.errors import FixCommand, FixData
from algotrade.market.candles import COLUMNS, Floats, check_candles, content_hash, resample, times_ms
from algotrade.market.simulate import (
    END_MS,
    FIRST_MS,
    SYMBOLS,
    forming_candle,
    instrument_of,
    price_at,
    simulate_candles,
    spread_at,
)
from algotrade.market.simulated_minutes import hash_words, standard_normals
from algotrade.market.span import parse_time
from algotrade.market.timeframe import COMMON, bar_start, timeframe_ms

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
moments = st.integers(FIRST_MS + 8 * DAY, END_MS - 8 * DAY)


def days(symbol: str, first: str, last: str) -> pd.DataFrame:
    return simulate_candles(symbol, "1d", parse_time(first), parse_time(last))


# ---- one market, whoever asks ----------------------------------------------------------------------------------------
def test_the_market_is_the_same_on_every_machine_and_in_every_version() -> None:
    """These figures were typed in once. If this fails, everyone's demo runs have changed."""
    first_day = days("BTC/USD", "2018-01-01", "2018-01-01").iloc[0].tolist()
    names = [content_hash(days(symbol, "2018-01-01", "2024-12-31"))[:12] for symbol in SYMBOLS]

    assert hash_words(1, 2, np.array([3])).tolist() == [16135696209794363058]
    assert first_day == [7844.7, 7885.5, 7780.8, 7841.9, 1621.91796875]
    assert names == ["a5c6fbd501dc", "c1cb617395c1", "d9f5e86bf67f", "516f3175924e", "b6bba45d24a0"]


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(("fine", "coarse"), [("1m", "5m"), ("1m", "1h"), ("1m", "1d"), ("1h", "1d"), ("1d", "1w")])
def test_fine_bars_add_up_to_coarse_ones_to_the_last_bit(symbol: str, fine: str, coarse: str) -> None:
    start = parse_time("2021-03-01")
    end = start + max(21 * timeframe_ms(coarse), 40 * DAY) - 1

    built = resample(simulate_candles(symbol, fine, start, end), fine, coarse)

    assert built.equals(simulate_candles(symbol, coarse, start, end)[: len(built)])
    assert len(built) >= 5


@settings(max_examples=40, deadline=None)
@given(moments, st.sampled_from(COMMON), st.integers(0, 40), st.integers(0, 40))
def test_two_spans_agree_on_the_bars_they_share(start: int, timeframe: str, more: int, fewer: int) -> None:
    length = timeframe_ms(timeframe)
    start = max(start - 100 * length, FIRST_MS)
    end = min(start + 40 * length, END_MS - length)
    whole = simulate_candles("BTC/USD", timeframe, start, end)

    part = simulate_candles("BTC/USD", timeframe, start + fewer * length, min(end, start + (fewer + more) * length))

    assert part.equals(whole.loc[part.index])


@settings(max_examples=60, deadline=None)
@given(moments, st.sampled_from(SYMBOLS))
def test_candles_are_possible_complete_and_on_the_tick(start: int, symbol: str) -> None:
    candles = simulate_candles(symbol, "1m", start, start + 200 * MINUTE)
    ticks = candles.iloc[:, :4].to_numpy() / instrument_of(symbol).price_tick

    check_candles(candles)
    assert (np.diff(times_ms(candles)) == 60_000).all()
    assert np.abs(ticks - np.rint(ticks)).max() < 1e-5
    assert (candles.volume * 256 == np.rint(candles.volume * 256)).all()
    assert (candles.volume > 0).all()


def test_start_and_end_are_open_times_and_both_inclusive() -> None:
    start = parse_time("2024-01-31")

    assert times_ms(simulate_candles("BTC/USD", "1h", start, start)).tolist() == [start]
    assert times_ms(simulate_candles("BTC/USD", "1h", start + 1, start + 2 * HOUR - 1)).tolist() == [start + HOUR]
    assert len(simulate_candles("BTC/USD", "1h", start + 1, start + HOUR - 1)) == 0
    assert len(simulate_candles("BTC/USD", "1h", start, start - DAY)) == 0


def test_the_first_and_the_last_bar_that_can_be_asked_for() -> None:
    ends = [simulate_candles("BTC/USD", "1m", time, time) for time in (FIRST_MS, END_MS - MINUTE)]

    assert [str(candles.index[0]) for candles in ends] == ["2010-01-01 00:00:00+00:00", "2059-12-31 23:59:00+00:00"]
    assert price_at("BTC/USD", END_MS - 1) > 0


@pytest.mark.parametrize("moment", [FIRST_MS - 1, END_MS, 0, -DAY, 2**55])
def test_times_outside_its_years_are_refused(moment: int) -> None:
    for ask in (
        lambda: simulate_candles("BTC/USD", "1m", moment - MINUTE, moment + MINUTE),
        lambda: price_at("BTC/USD", moment),
        lambda: spread_at("BTC/USD", moment),
        lambda: forming_candle("BTC/USD", "1d", moment),
    ):
        with pytest.raises(FixData, match="the demo exchange knows the years 2010 to 2059"):
            ask()


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(FixCommand, match=r"no symbol 'BTC-USD'\. Did you mean 'BTC/USD'\?") as raised:
        instrument_of("BTC-USD")
    assert raised.value.hint == "algotrade list markets --exchange demo"
    with pytest.raises(FixData, match="bars of whole minutes, not of 30s"):
        simulate_candles("BTC/USD", "30s", FIRST_MS, FIRST_MS)
    with pytest.raises(FixCommand, match="not a timeframe"):
        simulate_candles("BTC/USD", "1M", FIRST_MS, FIRST_MS)


# ---- inside a bar ----------------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(moments, st.sampled_from(SYMBOLS), st.sampled_from(["1m", "5m", "1h", "1d"]))
def test_the_forming_bar_is_what_was_seen_of_the_bar_so_far(moment: int, symbol: str, timeframe: str) -> None:
    time, open_, high, low, close, volume = forming_candle(symbol, timeframe, moment)
    whole = simulate_candles(symbol, timeframe, time, time).iloc[0]

    assert time == bar_start(moment, timeframe)
    assert open_ == whole.open
    assert close == price_at(symbol, moment)
    assert whole.low <= low <= min(open_, close) <= max(open_, close) <= high <= whole.high
    assert 0 <= volume <= whole.volume


def test_a_minute_walks_from_its_open_over_its_extremes_to_its_close() -> None:
    minute = parse_time("2024-01-31T12:34")
    whole = simulate_candles("BTC/USD", "1m", minute, minute).iloc[0]

    prices = np.array([price_at("BTC/USD", minute + 100 * tenth) for tenth in range(600)])

    assert prices[0] == whole.open
    assert (prices.min(), prices.max()) == (whole.low, whole.high)
    assert abs(price_at("BTC/USD", minute + MINUTE - 1) - whole.close) <= 0.1
    assert forming_candle("BTC/USD", "1m", minute + MINUTE - 1)[2:4] == (whole.high, whole.low)


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_a_bar_is_whole_at_its_last_moment(timeframe: str) -> None:
    time = parse_time("2024-01-31")
    whole = simulate_candles("BTC/USD", timeframe, time, time).iloc[0]

    forming = forming_candle("BTC/USD", timeframe, time + timeframe_ms(timeframe) - 1)

    assert forming[:4] == (time, whole.open, whole.high, whole.low)
    assert forming[4] == pytest.approx(whole.close, abs=0.11)
    assert forming[5] == pytest.approx(whole.volume, abs=1 / 128)


def test_bid_and_ask_lie_around_the_price_on_the_tick() -> None:
    for symbol in SYMBOLS:
        moment = parse_time("2024-01-31T12:34:56")
        bid, ask = spread_at(symbol, moment)
        tick = instrument_of(symbol).price_tick

        assert bid <= price_at(symbol, moment) - tick / 2
        assert ask >= price_at(symbol, moment) + tick / 2
        assert (ask - bid) / bid < 0.001


def test_the_open_of_a_bar_is_mostly_not_the_close_before() -> None:
    """As on a real market, so that a fill at the wrong one of the two shows."""
    minutes = simulate_candles("BTC/USD", "1m", parse_time("2024-01-01"), parse_time("2024-01-31"))
    same = (minutes.open.to_numpy()[1:] == minutes.close.to_numpy()[:-1]).mean()

    assert 0.3 < same < 0.7


# ---- like the real thing: Kraken's BTC/USD, 2015 to 2023 (days) and 2018 to 2022 (hours) ---------------------------
def autocorrelation(values: Floats, lag: int) -> float:
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).sum() / (centred**2).sum())


def log_returns(candles: pd.DataFrame) -> Floats:
    return np.diff(np.log(candles.close.to_numpy()))


def excess_kurtosis(values: Floats) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2 - 3)


@pytest.fixture(scope="module")
def btc_days() -> pd.DataFrame:
    return days("BTC/USD", "2015-01-01", "2023-12-31")


def test_daily_returns_are_as_wide_and_as_fat_tailed_as_bitcoins(btc_days: pd.DataFrame) -> None:
    returns = log_returns(btc_days)

    assert returns.std() == pytest.approx(0.0383, rel=0.1)
    assert 6 < excess_kurtosis(returns) < 15  # bitcoin: 12, of which one day in March 2020 makes a half


@pytest.mark.parametrize(
    ("lag", "measured"), [(1, 0.217), (2, 0.156), (3, 0.142), (5, 0.125), (10, 0.087), (20, 0.064), (30, 0.059)]
)
def test_wild_days_follow_wild_days_as_long_as_bitcoins(btc_days: pd.DataFrame, lag: int, measured: float) -> None:
    assert autocorrelation(np.abs(log_returns(btc_days)), lag) == pytest.approx(measured, abs=0.05)


@pytest.mark.parametrize("lag", [1, 2, 3, 5])
def test_the_direction_of_a_day_says_nothing_about_the_next(btc_days: pd.DataFrame, lag: int) -> None:
    assert abs(autocorrelation(log_returns(btc_days), lag)) < 0.06  # bitcoin: -0.05, 0.03, 0.01, 0.02


def test_a_days_range_is_as_wide_beside_its_return_as_bitcoins(btc_days: pd.DataFrame) -> None:
    ranges = np.log(btc_days.high / btc_days.low)

    assert ranges.mean() / log_returns(btc_days).std() == pytest.approx(1.385, rel=0.1)


def test_weekends_are_quieter_and_thinner(btc_days: pd.DataFrame) -> None:
    returns = pd.Series(log_returns(btc_days), index=btc_days.index[1:])
    weekend = returns.index.day_of_week >= 5
    volume = btc_days.volume.groupby(btc_days.index.day_of_week >= 5).mean()

    assert (returns[weekend] ** 2).mean() / (returns**2).mean() == pytest.approx(0.63, abs=0.15)
    assert volume[True] / btc_days.volume.mean() == pytest.approx(0.69, abs=0.08)


def test_volume_spreads_and_follows_the_range(btc_days: pd.DataFrame) -> None:
    volume, ranges = np.log(btc_days.volume), np.log(np.log(btc_days.high / btc_days.low))

    assert volume.std() == pytest.approx(0.76, abs=0.2)
    assert 0.5 < np.corrcoef(volume, ranges)[0, 1] < 0.97


def test_hours_are_as_wide_fat_tailed_and_clustered_as_bitcoins() -> None:
    hours = simulate_candles("BTC/USD", "1h", parse_time("2018-01-01"), parse_time("2023-01-01") - 1)
    returns = log_returns(hours)
    clustering = [autocorrelation(np.abs(returns), lag) for lag in (1, 6, 24, 48, 168)]
    by_hour = (pd.Series(returns, index=hours.index[1:]) ** 2).groupby(hours.index[1:].hour).mean()

    assert returns.std() == pytest.approx(0.0084, rel=0.15)
    assert 15 < excess_kurtosis(returns) < 50  # bitcoin: 34
    assert clustering == pytest.approx([0.279, 0.214, 0.189, 0.153, 0.117], abs=0.07)
    assert by_hour[[12, 13, 14, 15, 16]].mean() > 1.4 * by_hour[[3, 4, 5, 6, 7]].mean()


@pytest.mark.parametrize(
    ("symbol", "low", "high"),
    [
        ("BTC/USD", 1_000, 300_000),
        ("ETH/USD", 50, 20_000),
        ("SOL/USD", 1, 1_000),
        ("XRP/USD", 0.05, 10),
        ("ADA/USD", 0.05, 5),
    ],
)
def test_prices_stay_sensible_until_2035(symbol: str, low: float, high: float) -> None:
    close = days(symbol, "2010-01-01", "2034-12-31").close

    assert low < close.min() < close.max() < high


def test_the_years_of_the_first_backtest_hold_rises_and_falls() -> None:
    close = days("BTC/USD", "2018-01-01", "2024-12-31").close
    yearly = close.resample("YE").last().pct_change().dropna()

    assert 3_000 < close.min() < close.max() < 100_000
    assert (yearly > 0.3).sum() >= 2
    assert (yearly < -0.2).sum() >= 1
    assert (close / close.cummax() - 1).min() < -0.5


def test_markets_move_together_as_crypto_does() -> None:
    returns = {symbol: log_returns(days(symbol, "2018-01-01", "2024-12-31")) for symbol in SYMBOLS}
    together = np.corrcoef(list(returns.values()))

    assert ((together > 0.3) & (together < 0.95)).sum() == len(SYMBOLS) * (len(SYMBOLS) - 1)


def test_the_numbers_underneath_are_even_and_normal() -> None:
    words = hash_words(7, 3, np.arange(200_000))
    normals = standard_normals(words)
    set_bits = [int(((words >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]

    assert len(np.unique(words)) == 200_000
    assert max(abs(count - 100_000) for count in set_bits) < 5 * 224  # five standard deviations
    assert abs(normals.mean()) < 0.01
    assert normals.std() == pytest.approx(1, abs=0.01)
    assert abs(autocorrelation(normals, 1)) < 0.01


def test_columns_keep_their_order() -> None:
    assert list(days("BTC/USD", "2024-01-01", "2024-01-02").columns) == list(COLUMNS)
