"""How much a signal of 1 means: all of the equity, a part of it, a fixed amount, or what a risk allows.

A scale is computed at every bar, and the one of the bar at which the signal changes counts: that it drifts afterwards
trades nothing. It depends on a window of the past and on nothing before, so that live trading, which is given the last
bars, comes to the same number bit for bit.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from algotrade.engine.orders import Bracket
from algotrade.errors import FixCommand, FixStrategy, did_you_mean
from algotrade.market.candles import Floats, iso, times_ms
from algotrade.market.timeframe import bars_per_year

if TYPE_CHECKING:
    from algotrade.strategy.base import Strategy

EXPOSURE: Final = "exposure"
UNITS: Final = MappingProxyType(
    {
        "fraction": EXPOSURE,
        "quantity": "quantity",
        "notional": "notional",
        "risk": EXPOSURE,
        "volatility": EXPOSURE,
        "kelly": EXPOSURE,
    }
)
WINDOWED: Final = ("volatility", "kelly")
STOPS: Final = ("trailing_stop", "stop_loss")  # the latter counts where there are both
LEAST_WINDOW: Final = 3  # closes: two moves, which can differ
HINT: Final = "algotrade backtest --size risk=0.01"


class Sizing(NamedTuple):
    """What a signal of 1 means.

    Attributes:
        kind: one of
            "fraction": of equity;
            "quantity": base units;
            "notional": quote units;
            "risk": fraction of equity that is lost where the entry's stop loss fills at its price; exposure = amount /
                stop_loss. Source: V. K. Tharp, "Trade Your Way to Financial Freedom", 1998, the percent risk model;
            "volatility": annualised standard deviation that the position should have; exposure = amount / that of the
                last `window` closes. Source: A. Moreira, T. Muir, "Volatility-Managed Portfolios", Journal of Finance
                72(4), 2017;
            "kelly": share of the growth-optimal exposure, which is mean / variance of the moves of the last `window`
                closes, and nothing where these go against the signal. Source: E. O. Thorp, "The Kelly Criterion in
                Blackjack, Sports Betting, and the Stock Market", Handbook of Asset and Liability Management 1, 2006,
                section 7.
        amount: of that.
        window: closes that volatility and kelly look at, at least 3.
        cap: largest exposure of risk, volatility and kelly; None for the leverage, which is never exceeded.
    """

    kind: str
    amount: float
    window: int = 30
    cap: float | None = None

    @property
    def bars(self) -> int:
        """Closed bars that it needs."""
        return self.window if self.kind in WINDOWED else 1


class Scaling(NamedTuple):
    """What a scale depends on beside the bars: bars per year, and the largest exposure."""

    bars_per_year: float = math.nan
    leverage: float = 1.0

    @classmethod
    def of(cls, strategy: Strategy) -> Scaling:
        """Those of the run that a strategy was begun for; a number of bars that is not known stays NaN."""
        year = bars_per_year(strategy.timeframe, strategy.calendar) if strategy.timeframe else math.nan
        return cls(year, strategy.bounds.leverage)


def parse_sizing(text: str) -> Sizing:
    """A sizing as it is typed: "risk=0.01", "volatility=0.4,window=50,cap=1".

    Raises:
        FixCommand: an unknown word, or a number that makes no sense.
    """
    (kind, amount), *others = (part.partition("=")[::2] for part in text.replace(" ", "").split(","))
    options = dict(others)
    for name in options:
        if name not in ("window", "cap"):
            raise FixCommand(f"--size has no '{name}'.{did_you_mean(name, ('window', 'cap'))}", hint=HINT)
    try:
        sizing = Sizing(kind, float(amount))
        if "window" in options:
            sizing = sizing._replace(window=int(options["window"]))
        if "cap" in options:
            sizing = sizing._replace(cap=float(options["cap"]))
    except ValueError:
        raise FixCommand(f"--size is given as kind=number (risk=0.01), given '{text}'", hint=HINT) from None
    return check_sizing(sizing)


def check_sizing(sizing: Sizing) -> Sizing:
    """The sizing, if it makes sense.

    Raises:
        FixCommand: an unknown kind, or a number that is none of its.
    """
    kind, amount, window, cap = sizing
    if kind not in UNITS:
        raise FixCommand(f"unknown sizing '{kind}' (known: {', '.join(UNITS)}).{did_you_mean(kind, UNITS)}", hint=HINT)
    if not 0.0 < amount < math.inf or (kind == "risk" and amount >= 1.0):
        told = "a fraction of equity below 1 (0.01 for 1 %)" if kind == "risk" else "a positive number"
        raise FixCommand(f"the sizing {kind} takes {told}, given {amount}", hint=HINT)
    if window < LEAST_WINDOW:
        raise FixCommand(f"a sizing's window has at least {LEAST_WINDOW} closes, given {window}", hint=HINT)
    if cap is not None and not 0.0 < cap < math.inf:
        raise FixCommand(f"a sizing's cap is a positive number, given {cap}", hint=HINT)
    return sizing


def unit_of(sizing: Sizing | None) -> str:
    """What a signal times its scale is measured in: "exposure", "quantity" or "notional"."""
    return EXPOSURE if sizing is None else UNITS[sizing.kind]


def scales_of(sizing: Sizing, candles: pd.DataFrame, signals: pd.DataFrame, scaling: Scaling) -> Floats:
    """What a signal of 1 means at each bar, float64, shape (bars,), in `unit_of(sizing)`.

    Finite; 0.0 before there are enough bars, so that such a signal trades nothing.

    Args:
        sizing: what is asked for.
        candles: closed candles, shape (bars,).
        signals: with the columns signal and, for "risk", stop_loss or trailing_stop.
        scaling: bars per year and leverage.

    Raises:
        FixStrategy: sizing by risk where an entry has no stop; with the bar's time.
    """
    wanted = np.nan_to_num(signals["signal"].to_numpy(np.float64))
    stops = _stops_of(signals)
    if sizing.kind == "risk":
        if not {*STOPS} & {*signals.columns}:
            raise FixStrategy("sizing by risk needs stops: give the signals a column stop_loss, 0.05 for 5 %")
        _refuse_unstopped(wanted, stops, candles)
    return scales(sizing, candles["close"].to_numpy(np.float64), Entries(wanted, stops), scaling)


class Entries(NamedTuple):
    """What is wanted at each bar: a signal and the fraction at which its stop stands, NaN for none; shape (bars,)."""

    signal: Floats
    stop: Floats


def scales(sizing: Sizing, closes: Floats, entries: Entries, scaling: Scaling) -> Floats:
    """As `scales_of`, of arrays: shape (bars,)."""
    if unit_of(sizing) != EXPOSURE:
        return np.full(len(closes), sizing.amount)
    with np.errstate(divide="ignore", invalid="ignore"):
        match sizing.kind:
            case "risk":
                raw = sizing.amount / entries.stop
            case "volatility":
                raw = sizing.amount / (_deviation(closes, sizing.window) * math.sqrt(scaling.bars_per_year))
            case "kelly":
                raw = sizing.amount * _growth_optimal(closes, sizing.window) * np.sign(entries.signal)
            case _:
                raw = np.full(len(closes), sizing.amount)
        most = scaling.leverage if sizing.cap is None else min(sizing.cap, scaling.leverage)
        bounded = np.minimum(raw, most / np.abs(entries.signal))
    known = np.where(np.isnan(raw) | (entries.signal == 0.0), 0.0, bounded)
    return np.maximum(known, 0.0)


class Entry(NamedTuple):
    """An entry that is being decided: its exposure, the price that it is expected at, and what protects it."""

    exposure: float
    price: float
    bracket: Bracket | None


def scale_now(sizing: Sizing, closes: Floats, entry: Entry, scaling: Scaling) -> float:
    """What an exposure of 1 means after these closes, of which there are `sizing.bars` or more; see `scales_of`.

    Raises:
        ValueError: sizing by risk, and the entry has no stop.
    """
    stop = stop_distance(entry.bracket, entry.price) if sizing.kind == "risk" else math.nan
    last = closes[-sizing.bars :]
    entries = Entries(np.full(len(last), entry.exposure), np.full(len(last), stop))
    return float(scales(sizing, last, entries, scaling)[-1])


def stop_distance(bracket: Bracket | None, price: float) -> float:
    """Fraction of an entry's price at which its stop stands.

    Raises:
        ValueError: it has none.
    """
    if bracket is not None:
        for fraction, level in (
            (bracket.stop_loss, bracket.stop_loss_price),
            (bracket.trailing_stop, bracket.trailing_amount and price - bracket.trailing_amount),
        ):
            if fraction is not None or level is not None:
                return fraction if fraction is not None else abs(price - (level or 0.0)) / price
    raise ValueError("sizing by risk needs a stop for every entry: give stop_loss=, 0.05 for 5 %")


def _moves(closes: Floats) -> Floats:
    """Simple return of each bar; NaN for the first."""
    moves = np.full(len(closes), math.nan)
    moves[1:] = closes[1:] / closes[:-1] - 1.0
    return moves


def _deviation(closes: Floats, window: int) -> Floats:
    """Standard deviation of the moves among the last `window` closes."""
    from algotrade.strategy.indicators.windowed import rolling_std  # which not every strategy needs

    return rolling_std(_moves(closes), window - 1)


def _growth_optimal(closes: Floats, window: int) -> Floats:
    """Mean over variance of the moves among the last `window` closes; 0 where nothing moved."""
    from algotrade.strategy.indicators.windowed import rolling_std, sma

    moves = _moves(closes)
    mean, deviation = sma(moves, window - 1), rolling_std(moves, window - 1)
    return np.where(mean == 0.0, 0.0, mean / (deviation * deviation))


def _stops_of(signals: pd.DataFrame) -> Floats:
    """Distance of each entry's stop as a fraction of its price; NaN for none."""
    stops = np.full(len(signals["signal"]), math.nan)
    for name in STOPS:
        if name in signals:
            column = signals[name].to_numpy(np.float64, na_value=math.nan)
            stops = np.where(np.isnan(column), stops, column)
    return stops


def _refuse_unstopped(wanted: Floats, stops: Floats, candles: pd.DataFrame) -> None:
    """Sizing by risk needs a stop for every entry, once there was one."""
    known = np.logical_or.accumulate(~np.isnan(stops))
    changed = np.diff(wanted, prepend=0.0) != 0.0
    bare = np.flatnonzero(changed & (wanted != 0.0) & known & np.isnan(stops))
    if len(bare):
        time = iso(int(times_ms(candles)[bare[0]]))
        raise FixStrategy(f"sizing by risk needs a stop for every entry: stop_loss at {time} is NaN")
