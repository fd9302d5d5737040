"""Which settlements are one, and after which one is missing."""

from __future__ import annotations

import numpy as np
import pytest

from algotrade.errors import FixCommand
from algotrade.market.candles import Times
from algotrade.market.funding import FundingRates, find_bad_rates, find_holes, nearest, usual_step, validate_perpetual

HOUR = 3_600_000


def hours(*times: float) -> Times:
    return np.array([round(time * HOUR) for time in times], np.int64)


@pytest.mark.parametrize(
    ("times", "after"),
    [
        ((), ()),
        ((0, 8), ()),
        ((0, 8, 16, 24), ()),
        ((0, 8, 24, 32, 40), (8,)),
        ((0, 8, 16, 20, 24), ()),  # every 8 hours, then every 4
        ((0, 4, 8, 16, 24), ()),
        ((0, 8, 16, 240, 241, 242), (16,)),
        ((0, 16, 24, 32), (0,)),
        ((0, 8, 16, 32), (16,)),
        ((0, 8, 24, 32, 56, 64), (8, 32)),
    ],
)
def test_a_step_longer_than_those_beside_it_is_a_hole(times: tuple[float, ...], after: tuple[float, ...]) -> None:
    assert find_holes(hours(*times)).tolist() == hours(*after).tolist()


def test_some_milliseconds_make_no_hole() -> None:
    assert not len(find_holes(hours(0, 8, 16, 24) + np.array([17, 0, 23, 5])))


def test_the_usual_step_is_the_middle_one() -> None:
    assert usual_step(hours(0, 8, 16, 240)) == 8 * HOUR
    assert usual_step(hours(0)) is None


def test_a_time_belongs_to_the_settlement_less_than_a_minute_away() -> None:
    known = hours(0, 8, 16)
    times = hours(8) + np.array([-60_000, -59_999, 0, 59_999, 60_000])
    assert nearest(times, known).tolist() == [-1, 1, 1, 1, -1]
    assert nearest(hours(-1, 17), known).tolist() == [-1, -1]
    assert nearest(hours(0), hours()).tolist() == [-1]


def test_each_rate_that_cannot_be_has_one_reason() -> None:
    rates = np.array([0.0, 1.0, -1.0, 1.0000001, -2.0, np.nan, np.inf, -np.inf])
    times = hours(0, 8, 8.01, 16, 24, 32, 40, 48)
    reasons = {reason: np.flatnonzero(mask).tolist() for reason, mask in find_bad_rates(FundingRates(times, rates))}
    assert reasons == {
        "the rate is no finite number": [5, 6, 7],
        "the rate is beyond 1, the whole notional": [3, 4],
        "it comes less than a minute after the one before, and would be paid twice": [2],
    }


def test_a_span_has_both_its_ends() -> None:
    rates = FundingRates(hours(0, 8, 16), np.array([0.1, 0.2, 0.3]))
    assert rates.between(8 * HOUR, 16 * HOUR).rates.tolist() == [0.2, 0.3]


@pytest.mark.parametrize("symbol", ["BTC/USDT:USDT", "BTC/USD:BTC"])
def test_the_symbol_of_a_perpetual_names_what_it_settles_in(symbol: str) -> None:
    assert validate_perpetual(symbol) == symbol


@pytest.mark.parametrize(
    ("symbol", "like"),
    [("XRP/USDT", "XRP/USDT:USDT"), ("BTC/USDT:USDT-251226", "BTC/USDT:USDT"), ("SPY", "BTC/USDT:USDT")],
)
def test_another_symbol_is_refused_with_one_that_could_be_meant(symbol: str, like: str) -> None:
    with pytest.raises(FixCommand, match=f"they are written like {like}") as refused:
        validate_perpetual(symbol)
    assert refused.value.hint == f"algotrade fetch --funding --exchange binance --symbol {like}"
