"""What ccxt has read of an answer, checked and in our shapes. Pure: nothing here asks anything.

ccxt checks no answer: a page of HTML, an empty body or rows under an unexpected key come out of it as "nothing".
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any, Final

import ccxt
import numpy as np

from algotrade.exchange.ccxt_errors import nonsense
from algotrade.market.candles import Floats
from algotrade.market.funding import FundingRates
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import timeframe_ms

CAUTIOUS_PAGE: Final = 100  # where ccxt does not know better: no exchange gives fewer bars
FIRST_BELIEVABLE_MS: Final = 1_230_768_000_000  # 2009: there was nothing to trade before
LAST_BELIEVABLE_MS: Final = 7_258_118_400_000  # 2200


def candle_rows(rows: Any, answer: Any, where: str) -> Floats:
    """ccxt's candles as an array, shape (n, 6): times rising and unique (the later of two rows stays), null as NaN.

    Args:
        rows: what ccxt parsed.
        answer: the JSON that it parsed, None where it was none.
        where: the exchange and its host, for the error.

    Raises:
        CheckConnection: not rows of six numbers, or no rows though the answer holds no empty list to account for it.
    """
    if not rows and not holds_empty_list(answer):
        raise nonsense(where, "no candles in it")
    try:
        table = np.array([[number(value) for value in row] for row in rows], np.float64).reshape(len(rows), 6)
    except (TypeError, ValueError, OverflowError):
        raise nonsense(where, "candles that are not six numbers") from None
    if np.isnan(table[:, 0]).any():
        raise nonsense(where, "a candle without a time")
    table = table[np.argsort(table[:, 0], kind="stable")]
    last_of_time = np.append(np.diff(table[:, 0]) > 0, np.ones(min(1, len(table)), np.bool_))
    return np.asarray(table[last_of_time], np.float64)


def funding_rows(rows: Any, answer: Any, where: str) -> FundingRates:
    """ccxt's funding rates in rising time (the later of two of one time stays), null as NaN.

    Args:
        rows: what ccxt parsed.
        answer: the JSON that it parsed, None where it was none.
        where: the exchange and its host, for the error.

    Raises:
        CheckConnection: not rates with times, or none though the answer holds no empty list to account for it.
    """
    if not rows and not holds_empty_list(answer):
        raise nonsense(where, "no funding rates in it")
    try:
        found = {int(row["timestamp"]): number(row["fundingRate"]) for row in rows}
    except (TypeError, ValueError, KeyError, OverflowError):
        raise nonsense(where, "funding rates that are not a time and a number") from None
    times = sorted(found)
    if not all(map(believable_ms, times)):
        raise nonsense(where, "a funding rate without a time")
    return FundingRates(np.array(times, np.int64), np.array([found[time] for time in times], np.float64))


def check_spacing(table: Floats, timeframe: str, where: str) -> None:
    """Refuse candles of another length than asked for: ccxt takes a few exchanges' three days for a week, for one.

    A bar may be missing, and an old one may lie off the grid, but most follow each other in whole steps.

    Raises:
        CheckConnection: most do not.
    """
    steps = np.sort(np.diff(table[:, 0]))
    if len(steps) and (typical := int(steps[len(steps) // 2])) % timeframe_ms(timeframe):
        raise nonsense(where, f"candles that are {typical / 3_600_000:g} hours apart, where {timeframe} was asked for")


def holds_empty_list(answer: Any) -> bool:
    """Whether a JSON answer holds a list without elements, other than its list of errors."""
    if isinstance(answer, dict):
        return any(holds_empty_list(value) for key, value in answer.items() if key not in ("error", "errors"))
    if isinstance(answer, list):
        return not answer or any(holds_empty_list(value) for value in answer)
    return False


def instrument_from(market: dict[str, Any], precision_mode: int) -> Instrument:
    """Our instrument for ccxt's market; steps are known where ccxt gives them as steps or as decimal places."""

    def step(name: str) -> float:
        value = (market.get("precision") or {}).get(name)
        if value is None or precision_mode == ccxt.SIGNIFICANT_DIGITS:
            return 0.0
        return float(value) if precision_mode == ccxt.TICK_SIZE else float(f"1e-{int(value)}")

    def minimum(name: str) -> float:
        return float(((market.get("limits") or {}).get(name) or {}).get("min") or 0.0)

    return Instrument(
        symbol=market["symbol"],
        quantity_step=step("amount"),
        price_tick=step("price"),
        min_quantity=minimum("amount"),
        min_notional=minimum("cost"),
        taker_fee=market.get("taker"),
        maker_fee=market.get("maker"),
        can_short=not market.get("spot"),
    )


def candles_limit(features: Any, symbol: str) -> int:
    """How many candles of a symbol an answer holds at most, out of ccxt's table of an exchange's features.

    The table goes by the kind of market, which the symbol tells: "BTC/USDT" is spot, "BTC/USDT:USDT" a swap that
    settles in its quote currency (linear), "BTC/USD:BTC-251226" a future that does not (inverse).
    """
    pair, _, settlement = symbol.partition(":")
    currency, _, expiry = settlement.partition("-")
    kind = ("future" if expiry else "swap") if settlement else "spot"
    found = (features or {}).get(kind) or {}
    if settlement:
        found = found.get("linear" if pair.endswith(f"/{currency}") else "inverse") or {}
    return int((found.get("fetchOHLCV") or {}).get("limit") or CAUTIOUS_PAGE)


def believable_ms(time: Any) -> bool:
    """Whether this can be an exchange's time, milliseconds."""
    return isinstance(time, int) and FIRST_BELIEVABLE_MS < time < LAST_BELIEVABLE_MS


def date_ms(headers: Any) -> int | None:
    """The time at which an answer was sent, whole seconds in milliseconds, by its Date header (RFC 9110, 6.6.1)."""
    text = {str(name).lower(): value for name, value in (headers or {}).items()}.get("date")
    try:
        time = int(parsedate_to_datetime(str(text)).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return None
    return time if believable_ms(time) else None


def number(value: Any) -> float:
    """A number of an answer; NaN for null."""
    return float("nan") if value is None else float(value)
