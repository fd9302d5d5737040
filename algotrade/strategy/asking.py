"""What a strategy asks for, checked: words like `stop_loss=0.05` become requests to the engine.

Everything that makes no sense is a ValueError that says what was given; the machinery adds the bar and the line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypedDict

import numpy as np

from algotrade.engine.events import Plain
from algotrade.engine.orders import Bracket, TimeInForce
from algotrade.engine.requests import OrderRequest
from algotrade.errors import FixCommand, did_you_mean
from algotrade.market.timeframe import UNIT_MS


class BracketWords(TypedDict, total=False):
    """What protects what an order opens; fractions are of the price at which it fills, 0.05 for 5 %.

    Attributes:
        stop_loss: fraction by which the price may move against the position; stop_loss_price: the same as a price.
        take_profit: fraction at which the profit is taken; take_profit_price: the same as a price.
        trailing_stop: fraction of the best price by which a stop follows it; trailing_amount: as a distance.
        trailing_activation: fraction of profit from which on the stop follows.
        take_profit_after: {"20m": 0.04, "60m": 0.01}: the fraction at which the profit is taken from then on.
        max_bars: bars after which the position is closed.
    """

    stop_loss: float | None
    stop_loss_price: float | None
    take_profit: float | None
    take_profit_price: float | None
    trailing_stop: float | None
    trailing_amount: float | None
    trailing_activation: float | None
    take_profit_after: Mapping[str, float] | None
    max_bars: int | None


class OrderWords(BracketWords, total=False):
    """Everything that an order of a fixed size may say besides its size.

    Attributes:
        limit: worst price, quote units.
        stop: price that sets it off, quote units.
        time_in_force: "gtc" (until cancelled), "day" (until the UTC day is over), "ioc" (at the next open or never).
        expires_after: bars in which it works.
        post_only: refused where it would fill at once.
        reduce_only: never opens or adds to a position.
    """

    limit: float | None
    stop: float | None
    time_in_force: str
    expires_after: int | None
    post_only: bool
    reduce_only: bool


BRACKET_WORDS: Final = tuple(BracketWords.__annotations__)
ORDER_WORDS: Final = tuple(OrderWords.__annotations__)
BOOLEANS: Final = (bool, np.bool_)
NUMBERS: Final = (int, float, np.number)
FOREIGN: Final = MappingProxyType(  # what others call it
    {
        **dict.fromkeys(("amount", "size", "qty", "volume"), "quantity"),
        **dict.fromkeys(("price", "limit_price"), "limit"),
        **dict.fromkeys(("stop_price", "trigger", "trigger_price"), "stop"),
        **dict.fromkeys(("sl", "stoploss"), "stop_loss"),
        **dict.fromkeys(("tp", "target", "roi", "minimal_roi"), "take_profit"),
        **dict.fromkeys(("trail", "trailing"), "trailing_stop"),
        **dict.fromkeys(("tif", "exectype", "order_type"), "time_in_force"),
    }
)
ONE_OF: Final = (
    ("stop_loss", "stop_loss_price"),
    ("take_profit", "take_profit_price"),
    ("trailing_stop", "trailing_amount"),
)


class Bounds(NamedTuple):
    """What a target exposure may be: at most `leverage` in size, below zero only where shorts are allowed."""

    leverage: float = 1.0
    allow_short: bool = False


class Size(NamedTuple):
    """What an order is about: a symbol, a side (+1 buy, -1 sell), and one of two sizes."""

    symbol: str
    side: int
    quantity: float | None = None
    notional: float | None = None


def checked_size(size: Size) -> Size:
    """The size in floats; refused unless exactly one is given and it is a positive number."""
    if (size.quantity is None) == (size.notional is None):
        raise ValueError("give quantity= (base units) or notional= (quote units), one of the two")
    return size._replace(
        quantity=positive("an order's size", size.quantity), notional=positive("an order's size", size.notional)
    )


def order_request(size: Size, order_id: str, mark: float, words: Mapping[str, Any]) -> OrderRequest:
    """An order of a fixed size.

    Args:
        size: checked.
        order_id: of the order.
        mark: last price, NaN where there is none yet.
        words: of OrderWords, none of them unknown.
    """
    limit, stop = positive("limit", words.get("limit")), positive("stop", words.get("stop"))
    check_stop(size.side, stop, mark)
    reference = limit or stop or mark
    post_only, force = bool(words.get("post_only", False)), time_in_force(words.get("time_in_force", "gtc"))
    if post_only and (limit is None or force is TimeInForce.IOC):
        why = "needs a limit=" if limit is None else "never fills at once, which is all that 'ioc' does"
        raise ValueError(f"a post_only order {why}")
    return OrderRequest(
        *size,
        order_id,
        limit,
        stop,
        bracket_of(words, size.side, reference),
        force,
        counted("expires_after", words.get("expires_after")),
        post_only,
        bool(words.get("reduce_only", False)),
    )


def bracket_of(words: Mapping[str, Any], side: int, reference: float) -> Bracket | None:
    """The bracket that the words describe, None where they do not.

    Args:
        words: of BracketWords; others are passed over.
        side: of the position that it protects, 0 where that is not known.
        reference: price that its prices must lie on the right side of, NaN where there is none yet.
    """
    if not words:
        return None
    given = {name: words[name] for name in BRACKET_WORDS if words.get(name) is not None}
    if not given:
        return None
    for one, other in ONE_OF:
        if one in given and other in given:
            raise ValueError(f"give {one}= or {other}=, one of the two")
    if "trailing_activation" in given and not given.keys() & {"trailing_stop", "trailing_amount"}:
        raise ValueError("trailing_activation= needs trailing_stop= or trailing_amount=")
    after, bars = given.pop("take_profit_after", None), given.pop("max_bars", None)
    bracket = Bracket(
        **{name: positive(name, value) for name, value in given.items()},
        take_profit_after=steps_of(after) if after is not None else (),
        max_bars=counted("max_bars", bars),
    )
    _check_fractions(bracket, side)
    _check_sides(bracket, side, reference)
    return bracket


def one_target(**sizes: float | None) -> tuple[str, float]:
    """The unit ("exposure", "quantity", "notional") and the amount of a target, one of which is given."""
    given = {unit: number(f"the target {unit}", amount) for unit, amount in sizes.items() if amount is not None}
    if len(given) != 1:
        raise ValueError("give exposure=, quantity= or notional=, one of the three")
    return next(iter(given.items()))


def check_bounds(owner: str, bounds: Bounds, unit: str, amount: float) -> None:
    """Refuse a target outside of the leverage, or below zero where nothing can be sold short."""
    if unit == "exposure" and abs(amount) > bounds.leverage:
        raise ValueError(f"the target exposure {amount} is outside the leverage of {bounds.leverage}")
    if amount < 0 and not bounds.allow_short:
        raise FixCommand(
            f"{owner} wants to be short, which a spot market cannot do; to simulate it all the same add --allow-short",
            hint=f"algotrade backtest --strategy {owner} --allow-short",
        )


def changes_of(**changes: float | None) -> dict[str, float | None]:
    """What is to change of a working order, at least one thing."""
    if all(change is None for change in changes.values()):
        raise ValueError("give what to change: quantity=, limit= or stop=")
    return {name: positive(name, change) for name, change in changes.items()}


def plain(value: object) -> Plain:
    """A value that a journal can keep."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a value to emit must be finite, given {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"a value to emit is a number, a text, True, False or None, given {type(value).__name__}")


def steps_of(table: Mapping[str, float]) -> tuple[tuple[int, float], ...]:
    """{"20m": 0.04} as ((1200000, 0.04),): milliseconds since the entry, in rising order."""
    if not isinstance(table, Mapping):
        raise ValueError(f'take_profit_after is a mapping like {{"20m": 0.04, "1h": 0.01}}, given {table!r}')
    found: dict[int, float] = {}
    for duration, fraction in table.items():
        match = re.fullmatch(r"([1-9][0-9]{0,6})([smhdw])", str(duration))
        if match is None:
            raise ValueError(
                f"take_profit_after: '{duration}' is no duration; write 20m, 4h or 1d (at once: take_profit)"
            )
        if not 0.0 <= _float(fraction) < math.inf:
            told = f"after {duration} comes a fraction of the entry price, 0 or more, given {fraction!r}"
            raise ValueError(f"take_profit_after: {told}")
        after = int(match[1]) * UNIT_MS[match[2]]
        if after in found:
            raise ValueError(f"take_profit_after: '{duration}' is there twice")
        found[after] = float(fraction)
    return tuple(sorted(found.items()))


def check_stop(side: int, stop: float | None, mark: float) -> None:
    """Refuse a stop that the last price has already reached: it would be a market order. Side 0 is not known."""
    if stop is not None and side and (stop - mark) * side <= 0.0:
        where, order = ("above", "buy") if side > 0 else ("below", "sell")
        raise ValueError(f"the stop of a {order} order must be {where} the last price {mark:g}, given {stop:g}")


def time_in_force(given: object) -> TimeInForce:
    """The order's time in force."""
    known = [each.value for each in TimeInForce]
    if given not in known:
        near = did_you_mean(str(given), known)
        raise ValueError(f"unknown time_in_force {given!r} (known: {', '.join(known)}).{near}")
    return TimeInForce(given)


def number(name: str, given: Any) -> float:
    """A finite number."""
    if isinstance(given, BOOLEANS) or not isinstance(given, NUMBERS) or not math.isfinite(given):
        raise ValueError(f"{name} must be a finite number, given {given!r}")
    return float(given)


def positive(name: str, given: Any) -> float | None:
    """A positive number; None stays."""
    if given is not None and not 0.0 < (value := _float(given)) < math.inf:
        raise ValueError(f"{name} must be a positive number, given {given!r}")
    return None if given is None else value


def counted(name: str, given: Any) -> int | None:
    """A whole number of bars, at least 1; None stays."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
        raise ValueError(f"{name} is a whole number of bars, at least 1, given {given!r}")
    return int(given)


def _float(given: Any) -> float:
    if isinstance(given, BOOLEANS) or not isinstance(given, NUMBERS):
        return math.nan
    return float(given)


def refuse_unknown(words: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse words that mean nothing here."""
    for word in words:
        if word not in known:
            meant = FOREIGN.get(word.casefold())
            near = f" Did you mean '{meant}'?" if meant else did_you_mean(word, known)
            raise ValueError(f"unknown word {word}= (known: {', '.join(known)}).{near}")


def _check_fractions(bracket: Bracket, side: int) -> None:
    """Refuse fractions that no price can reach, which are mostly percentages."""
    bounded = {"trailing_stop": bracket.trailing_stop}
    bounded["stop_loss" if side >= 0 else "take_profit"] = bracket.stop_loss if side >= 0 else bracket.take_profit
    for name, fraction in bounded.items():
        if fraction is not None and fraction >= 1.0:
            raise ValueError(f"{name} is a fraction of the price, below 1 (0.05 for 5 %), given {fraction:g}")


def _check_sides(bracket: Bracket, side: int, reference: float) -> None:
    """Refuse prices on the wrong side of the entry."""
    for name, level, direction in (
        ("stop_loss_price", bracket.stop_loss_price, -side),
        ("take_profit_price", bracket.take_profit_price, side),
    ):
        if level is not None and (level - reference) * direction < 0.0:
            where, position = "above" if direction > 0 else "below", "long" if side > 0 else "short"
            told = f"the {name} of a {position} position must be {where} {reference:g}"
            raise ValueError(f"{told}, given {level:g}")
