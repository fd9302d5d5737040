from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from algotrade.errors import FixData
from algotrade.market.candles import (
    COLUMNS,
    bad_rows,
    candle_table,
    check_candles,
    content_hash,
    empty_candles,
    iso,
    resample,
    times_ms,
)
from algotrade.market.simulate import simulate_candles

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_706_659_200_000  # Wednesday, 2024-01-31


def table(*rows: tuple[float, float, float, float, float], step: int = DAY) -> pd.DataFrame:
    return candle_table(START + step * np.arange(len(rows)), np.array(rows, np.float64).T)


GOOD = (100.0, 110.0, 90.0, 105.0, 3.0)


# ---- the table -------------------------------------------------------------------------------------------------------
def test_a_table_has_utc_times_and_five_float_columns() -> None:
    candles = table(GOOD, GOOD)

    assert list(candles.columns) == list(COLUMNS)
    assert str(candles.index.dtype) == "datetime64[ms, UTC]"
    assert candles.index.name == "time"
    assert candles.iloc[0].tolist() == list(GOOD)
    assert str(candles.index[0]) == "2024-01-31 00:00:00+00:00"


def test_an_empty_table_has_the_same_shape() -> None:
    assert list(empty_candles().columns) == list(COLUMNS)
    assert empty_candles().index.dtype == table(GOOD).index.dtype
    assert len(check_candles(empty_candles())) == 0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_milliseconds_whatever_unit_the_index_has(unit: str) -> None:
    candles = table(GOOD, GOOD)

    assert times_ms(candles.set_index(candles.index.as_unit(unit))).tolist() == [START, START + DAY]


def test_times_in_another_zone_are_the_same_moments() -> None:
    candles = table(GOOD, GOOD)

    assert times_ms(candles.tz_convert("Asia/Kolkata")).tolist() == [START, START + DAY]


def test_an_index_without_times_or_without_a_zone_is_refused() -> None:
    with pytest.raises(FixData, match="given RangeIndex"):
        times_ms(table(GOOD).reset_index(drop=True))
    with pytest.raises(FixData, match="no time zone"):
        times_ms(table(GOOD).tz_localize(None))


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (START, "2024-01-31T00:00:00Z"),
        (START + 250, "2024-01-31T00:00:00.250Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_written_in_iso_8601(time_ms: int, text: str) -> None:
    assert iso(time_ms) == text


# ---- the check -------------------------------------------------------------------------------------------------------
def test_good_candles_pass_unchanged_and_lose_further_columns() -> None:
    candles = table(GOOD, GOOD).assign(trades=7)

    assert check_candles(candles).equals(table(GOOD, GOOD))


def test_whole_numbers_become_floats() -> None:
    checked = check_candles(table(GOOD, GOOD).astype(int))

    assert (checked.dtypes == np.float64).all()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((100, 110, 90, np.nan, 3), "a value is not a finite number"),
        ((100, np.inf, 90, 105, 3), "a value is not a finite number"),
        ((100, 110, 90, 105, np.nan), "a value is not a finite number"),
        ((0, 110, 0, 105, 3), "a price is not positive"),
        ((100, 110, -90, 105, 3), "a price is not positive"),
        ((100, 90, 110, 105, 3), "high is below low"),
        ((100, 104, 90, 105, 3), "high is below open or close"),
        ((111, 110, 90, 105, 3), "high is below open or close"),
        ((100, 110, 101, 105, 3), "low is above open or close"),
        ((107, 110, 106, 105, 3), "low is above open or close"),
        ((100, 110, 90, 105, -3), "volume is negative"),
    ],
)
def test_an_impossible_candle_is_named_with_its_time_and_one_reason(row: tuple[float, ...], reason: str) -> None:
    candles = table(GOOD, row, GOOD)  # type: ignore[arg-type]

    with pytest.raises(FixData, match=f"candle 2024-02-01T00:00:00Z: {reason}"):
        check_candles(candles)
    assert [(name, rows.tolist()) for name, rows in bad_rows(*candles.to_numpy().T) if rows.any()] == [
        (reason, [False, True, False])
    ]


def test_a_flat_candle_without_volume_is_possible() -> None:
    check_candles(table((5, 5, 5, 5, 0)))


@pytest.mark.parametrize("order", [[0, 0], [1, 0]])
def test_times_that_repeat_or_fall_are_refused(order: list[int]) -> None:
    with pytest.raises(FixData, match=f"times must rise; {iso(START)} does not come after"):
        check_candles(table(GOOD, GOOD).iloc[order])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda candles: candles.drop(columns=["low", "volume"]), "lack the column.s. low, volume; given open"),
        (lambda candles: pd.concat([candles, candles[["close"]]], axis=1), "column.s. close more than once"),
        (lambda candles: candles.assign(close="much"), "not a number .*much"),
        (lambda candles: candles.set_index(candles.index.where([True, False])), "candle 2 of 2 has no time"),
    ],
)
def test_a_table_of_another_shape_is_refused(spoil: Callable[[pd.DataFrame], pd.DataFrame], said: str) -> None:
    with pytest.raises(FixData, match=said):
        check_candles(spoil(table(GOOD, GOOD)))


# ---- coarser candles -------------------------------------------------------------------------------------------------
def test_a_coarse_bar_has_the_first_open_the_last_close_the_extremes_and_the_sum() -> None:
    hours = table(
        (100, 110, 95, 105, 1), (105, 120, 100, 101, 2), (101, 102, 80, 90, 4), (90, 91, 85, 86, 8), step=HOUR
    )

    assert resample(hours, "1h", "2h").to_numpy().tolist() == [[100, 120, 95, 101, 3], [101, 102, 80, 86, 12]]
    assert times_ms(resample(hours, "1h", "2h")).tolist() == [START, START + 2 * HOUR]


def test_bars_that_are_not_covered_at_either_end_are_left_out() -> None:
    hours = simulate_candles("BTC/USD", "1h", START + 5 * HOUR, START + 3 * DAY + 7 * HOUR)

    assert times_ms(resample(hours, "1h", "1d")).tolist() == [START + DAY, START + 2 * DAY]
    assert len(resample(hours.iloc[:10], "1h", "1d")) == 0
    assert len(resample(empty_candles(), "1h", "1d")) == 0


def test_the_last_fine_bar_completes_its_coarse_bar() -> None:
    hours = simulate_candles("BTC/USD", "1h", START, START + 23 * HOUR)

    assert len(resample(hours, "1h", "1d")) == 1
    assert len(resample(hours.iloc[:-1], "1h", "1d")) == 0


def test_missing_fine_bars_stay_missing_and_empty_coarse_bars_are_absent() -> None:
    minutes = simulate_candles("BTC/USD", "1m", START, START + 4 * HOUR - MINUTE)
    holes = minutes[(minutes.index.minute % 7 != 4) & (minutes.index.hour != 2)]

    hours = resample(holes, "1m", "1h")

    assert times_ms(hours).tolist() == [START, START + HOUR, START + 3 * HOUR]
    for hour, bar in zip((0, 1, 3), hours.itertuples(), strict=True):
        seen = holes[holes.index.hour == hour]
        assert (bar.high, bar.low, bar.volume) == (seen.high.max(), seen.low.min(), seen.volume.sum())


@pytest.mark.parametrize(("source", "target", "rule"), [("1m", "5m", "5min"), ("1m", "4h", "4h"), ("1h", "1d", "1D")])
def test_coarse_bars_equal_those_of_pandas(source: str, target: str, rule: str) -> None:
    fine = simulate_candles("ETH/USD", source, START, START + 3 * DAY - 1)
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}

    ours, theirs = resample(fine, source, target), fine.resample(rule).agg(how)

    assert (ours.to_numpy() == theirs.to_numpy()).all()
    assert (ours.index == theirs.index).all()


def test_weeks_begin_on_monday() -> None:
    days = simulate_candles("BTC/USD", "1d", START, START + 30 * DAY)

    assert [str(time.date()) for time in resample(days, "1d", "1w").index] == ["2024-02-05", "2024-02-12", "2024-02-19"]


def test_the_same_timeframe_gives_the_same_candles() -> None:
    days = simulate_candles("BTC/USD", "1d", START, START + 30 * DAY)

    assert resample(days, "1d", "1d").equals(days)


@pytest.mark.parametrize(("source", "target"), [("1d", "1h"), ("7m", "1h"), ("1w", "7d"), ("7m", "1w"), ("3d", "1w")])
def test_bars_that_do_not_fit_into_each_other_are_refused(source: str, target: str) -> None:
    with pytest.raises(FixData, match=f"{target} bars cannot be built from {source} bars"):
        resample(table(GOOD), source, target)


# ---- the hash --------------------------------------------------------------------------------------------------------
def test_the_hash_depends_on_times_and_values_and_on_nothing_else() -> None:
    candles = table(GOOD, GOOD)
    name = content_hash(candles)

    assert name == content_hash(candles.copy().set_index(candles.index.as_unit("ns")).assign(trades=1))
    assert name == content_hash(candles.tz_convert("Asia/Kolkata")[list(reversed(COLUMNS))])
    assert name != content_hash(candles.assign(close=[105.0, np.nextafter(105.0, 106.0)]))
    assert name != content_hash(candles.iloc[:1])
    assert name != content_hash(candle_table(times_ms(candles) + 1, candles.to_numpy().T))
    assert len(name) == 64
