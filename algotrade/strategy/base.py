"""Writing a strategy: subclass Strategy, mark methods with `@on`, call `self.buy`, `self.sell` or `self.target`.

    class BuyTheDip(Strategy):
        drop: float = param(0.05, low=0.01, high=0.5)

        @on("candles")
        def after_a_fall(self, candle):
            if candle.close < candle.open * (1 - self.drop):
                self.target(exposure=1)

The engine calls `handle`; the methods' requests are collected and returned to it. A strategy sees closed bars only,
never a clock, a file or the network.
"""

from __future__ import annotations

import inspect
import math
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeVar

import pandas as pd

from algotrade.engine.account import Account, View
from algotrade.engine.events import CandleClosed, Emitted, Event, OrderFilled, TimerStruck, TradePrinted
from algotrade.engine.requests import CancelRequest, OrderRequest, Request, TargetRequest
from algotrade.errors import AlgotradeError, FixCommand, FixStrategy, Terminated, did_you_mean
from algotrade.strategy.history import History
from algotrade.strategy.parameters import Parameter, Value, checked, collect, param

__all__ = ["Strategy", "on", "param", "own_errors", "refuse_unfed"]

EVENTS: Final = {"candles": CandleClosed, "trades": TradePrinted, "fills": OrderFilled, "timer": TimerStruck}
NOT_FED: Final = ("trades", "timer")  # a market of candles gives neither
RESERVED: Final = frozenset({"warmup", "parameters", "handlers", "symbol", "bounds"})
DEFAULT_HISTORY: Final = 500  # candles kept for an event strategy that declares no warm-up
Method = TypeVar("Method", bound=Callable[..., Any])


def on(event: Literal["candles", "trades", "fills", "timer"]) -> Callable[[Method], Method]:
    """Mark a method to be called with every event of a kind.

    Args:
        event: "candles" (a bar closed), "trades" (a public trade), "fills" (an execution of ours) or "timer".

    Raises:
        FixStrategy: no such event.
    """
    if not isinstance(event, str) or event not in EVENTS:
        near = did_you_mean(str(event), EVENTS)
        raise FixStrategy(f"@on('{event}'): no such event (known: {', '.join(EVENTS)}).{near}")

    def mark(method: Method) -> Method:
        method.__dict__.setdefault("on_events", []).append(event)
        return method

    return mark


class Bounds(NamedTuple):
    """What a target exposure may be: at most `leverage` in size, below zero only where shorts are allowed."""

    leverage: float = 1.0
    allow_short: bool = False


class Strategy:
    """Base of all strategies; parameters are annotated class attributes.

    Attributes:
        warmup: closed bars that a decision needs: a number, "all" for everything since the first recorded bar, or None
            to have the checks find it.
        symbol: what is traded; set before the first event.
        bounds: what a target exposure may be; set before the first event.
    """

    warmup: int | Literal["all"] | None = None
    bounds: Bounds = Bounds()
    parameters: ClassVar[dict[str, Parameter]] = {}
    handlers: ClassVar[dict[type, tuple[str, ...]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.parameters = collect(cls, RESERVED)
        taken = [name for name in cls.parameters if hasattr(Strategy, name)]
        if taken:
            raise FixStrategy(
                f"{cls.__name__}.{taken[0]}: every strategy has a '{taken[0]}'; give the parameter another name"
            )
        found: dict[type, list[str]] = {}
        for name in dir(cls):
            for event in getattr(getattr(cls, name, None), "on_events", ()):
                found.setdefault(EVENTS[event], []).append(name)
        cls.handlers = {event: tuple(names) for event, names in found.items()}

    def __init__(self, **parameters: Any) -> None:
        self.values: dict[str, Value] = checked(self.name(), self.parameters, parameters)
        for name, value in self.values.items():
            setattr(self, name, value)
        self._requests: list[Request] = []
        self._view = View(Account(math.nan), list)
        self.begin("", self.warmup)
        try:
            self.validate()
        except ValueError as error:
            raise FixCommand(f"{self.name()}: {error}", hint="algotrade list strategies") from None

    @classmethod
    def name(cls) -> str:
        """The class name as a command line writes it: SmaCross is "sma_cross"."""
        return snake_case(cls.__name__)

    @classmethod
    def idea(cls) -> str:
        """First line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    def validate(self) -> None:
        """Refuse parameters that make no sense together by raising ValueError; called before anything runs."""

    # ---- what a strategy may look at --------------------------------------------------------------------------------
    @property
    def position(self) -> float:
        """Base units held; negative when short."""
        return self._view.position(self.symbol)

    @property
    def cash(self) -> float:
        """Quote units not invested."""
        return self._view.cash

    @property
    def equity(self) -> float:
        """Cash and position at the last price, quote units."""
        return self._view.equity

    def candles(self) -> pd.DataFrame:
        """The last `warmup` closed candles, the newest last (a copy)."""
        return self._history.table()

    # ---- what a strategy may ask for --------------------------------------------------------------------------------
    def buy(self, *, quantity: float | None = None, notional: float | None = None) -> None:
        """Buy at the market: `quantity` in base units or `notional` in quote units, one of the two."""
        self._requests.append(self._order(1, quantity, notional))

    def sell(self, *, quantity: float | None = None, notional: float | None = None) -> None:
        """Sell at the market: `quantity` in base units or `notional` in quote units, one of the two."""
        self._requests.append(self._order(-1, quantity, notional))

    def target(self, *, exposure: float) -> None:
        """Hold this fraction of equity from the next open on: 1 all in, 0 flat, -1 short with all."""
        if not math.isfinite(exposure):
            raise ValueError(f"the target exposure must be a finite number, given {exposure}")
        if abs(exposure) > self.bounds.leverage:
            raise ValueError(f"the target exposure {exposure} is outside the leverage of {self.bounds.leverage}")
        if exposure < 0 and not self.bounds.allow_short:
            raise FixCommand(
                f"{self.name()} wants to be short, which a spot market cannot do; to simulate it all the same add"
                " --allow-short",
                hint=f"algotrade backtest --strategy {self.name()} --allow-short",
            )
        self._requests.append(TargetRequest(self.symbol, float(exposure)))

    def cancel(self, order_id: str) -> None:
        """Cancel a working order."""
        self._requests.append(CancelRequest(order_id))

    def _order(self, side: int, quantity: float | None, notional: float | None) -> OrderRequest:
        amount = quantity if quantity is not None else notional
        if amount is None or (quantity is not None and notional is not None):
            raise ValueError("give quantity= (base units) or notional= (quote units), one of the two")
        if not math.isfinite(amount) or amount <= 0:
            raise ValueError(f"an order's size must be a positive number, given {amount}")
        return OrderRequest(self.symbol, side, quantity, notional)

    # ---- called by the machinery ------------------------------------------------------------------------------------
    def begin(self, symbol: str, warmup: int | str | None) -> None:
        """Start on a symbol with an empty history of `warmup` bars ("all": without a bound)."""
        self.symbol = symbol
        size = DEFAULT_HISTORY if warmup is None else warmup
        self._history = History(None if size == "all" else max(1, int(size)))

    def warm_up(self, candle: CandleClosed) -> None:
        """Remember a closed candle of the past without deciding on it."""
        self._history.append(candle)

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        """Requests in answer to an event: the marked methods, in order of their names."""
        if isinstance(event, CandleClosed):
            self._history.append(event)
        methods = self.handlers.get(type(event), ())
        if not methods:
            return []
        self._view = view
        self._requests = []
        for method in methods:
            with own_errors(self):
                getattr(self, method)(event)
        return self._requests


def refuse_unfed(strategy: Strategy) -> None:
    """Say that a strategy would never be asked: everything it can do begins with a candle.

    Raises:
        FixStrategy: no method of it answers candles.
    """
    if CandleClosed in strategy.handlers or type(strategy).handle is not Strategy.handle:
        return
    unfed = [kind for kind in NOT_FED if EVENTS[kind] in strategy.handlers]
    why = f"{' and '.join(unfed)} events are not fed yet; use candles" if unfed else "a method needs @on('candles')"
    raise FixStrategy(f"{strategy.name()} never answers a candle, so it would do nothing: {why}")


def snake_case(class_name: str) -> str:
    """SmaCross as "sma_cross", RSIReversion as "rsi_reversion"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


@contextmanager
def own_errors(strategy: Strategy) -> Iterator[None]:
    """Turn whatever a strategy's own code raises into FixStrategy with the line of code that raised."""
    try:
        yield
    except (AlgotradeError, Terminated):
        raise
    except (Exception, SystemExit) as error:  # the boundary to a person's own code: anything may come out of it
        said = f"{strategy.name()} raised {type(error).__name__}: {error}"
        raise FixStrategy(said + _where(error, strategy)) from error


def _where(error: BaseException, strategy: Strategy) -> str:
    """' (file.py line 12: the code)' for the innermost line in a file that the strategy's methods come from."""
    methods = [
        method
        for cls in type(strategy).__mro__
        if not cls.__module__.startswith("algotrade.strategy.")
        for method in vars(cls).values()
        if inspect.isfunction(method)
    ]
    files = {method.__code__.co_filename for method in methods}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    if not frames:
        return ""
    frame = frames[-1]
    return f" ({Path(frame.filename).name} line {frame.lineno}: {frame.line})"
