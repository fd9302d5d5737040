"""Writing a strategy: subclass Strategy, mark methods with `@on`, call `self.buy`, `self.sell` or `self.target`.

    class BuyTheDip(Strategy):
        drop: float = param(0.05, low=0.01, high=0.5)

        @on("candles")
        def after_a_fall(self, candle):
            if candle.close < candle.open * (1 - self.drop):
                self.target(exposure=1, stop_loss=0.1)

The engine calls `handle`; the methods' requests are collected and returned to it. A strategy sees closed bars only,
never a clock, a file or the network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Final, Literal, Self, Unpack

import pandas as pd

from algotrade.engine.account import Account, View
from algotrade.engine.events import CandleClosed, Emitted, Event, Plain
from algotrade.engine.orders import Order, Role, order_id
from algotrade.engine.requests import CancelRequest, EmitRequest, ProtectRequest, ReplaceRequest, Request, TargetRequest
from algotrade.errors import AlgotradeError, FixCommand, FixStrategy, Terminated
from algotrade.market.candles import Floats
from algotrade.strategy import asking, timeframes
from algotrade.strategy.answers import Answers
from algotrade.strategy.asking import Bounds, BracketWords, OrderWords, Size
from algotrade.strategy.feeding import refuse_unfed
from algotrade.strategy.history import Finished, Given, Past, Tables
from algotrade.strategy.marks import check_own_name, collect_handlers, intervals_of, on
from algotrade.strategy.own_errors import calling_line, explained, own_errors, with_line
from algotrade.strategy.parameters import Parameter, Value, checked, collect, param, refuse_taken, snake_case
from algotrade.strategy.sizes import EXPOSURE, Entry, Scaling, Sizing, check_sizing, scale_now, scales_of, unit_of

__all__ = ["Bounds", "Strategy", "on", "own_errors", "param", "refuse_unfed"]

RESERVED: Final = frozenset(
    {"warmup", "parameters", "handlers", "symbol", "symbols", "timeframe", "calendar", "bounds", "sizing"}
)
DEFAULT_HISTORY: Final = 500  # candles kept for an event strategy that declares no warm-up
NOWHERE: Final = View(Account(math.nan), list, partial(order_id, number=0))  # the account before the first event
NO_REQUESTS: Final[tuple[Request, ...]] = ()


class Strategy:
    """Base of all strategies; parameters are annotated class attributes.

    Attributes:
        warmup: closed bars that a decision needs: a number, "all" for everything since the first recorded bar, or None
            to have the checks find it.
        symbol: of the event that is answered, the first of all where it has none.
        symbols: what is traded; set before the first event.
        timeframe: of the candles; set before the first event.
        calendar: "24/7" or "stocks": decides the bars per year; set before the first event.
        bounds: what a target exposure may be; set before the first event.
        sizing: what a target exposure of 1 means; None: all of the equity.
    """

    warmup: int | Literal["all"] | None = None
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    timeframe: str = ""
    calendar: str = "24/7"
    bounds: Bounds = Bounds()
    sizing: Sizing | None = None
    parameters: ClassVar[dict[str, Parameter]] = {}
    handlers: ClassVar[dict[str, tuple[str, ...]]] = {}
    _first_symbol: str = ""
    _requests: list[Request] | None = None  # None where nothing may be asked for

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.parameters = collect(cls, RESERVED)
        refuse_taken(cls, Strategy)
        cls.handlers = collect_handlers(cls)

    def __init__(self, **parameters: Any) -> None:
        self.values: dict[str, Value] = checked(self.name(), self.parameters, parameters)
        for name, value in self.values.items():
            setattr(self, name, value)
        self._view, self._time = NOWHERE, 0
        self._answers = Answers(self, self.handlers)
        self._past = Past((), None, "", ())
        self._tables: Tables = self._past
        try:
            self.validate()
        except ValueError as error:
            raise FixCommand(f"{self.name()}: {error}", hint="algotrade list strategies") from None

    @classmethod
    def made(cls, parameters: Mapping[str, Any]) -> Self:
        """A strategy with these parameters; whatever its own `__init__` or `validate` raises is a FixStrategy."""
        with own_errors(cls):
            return cls(**parameters)

    @classmethod
    def name(cls) -> str:
        """The class name as a command line writes it: SmaCross is "sma_cross"."""
        return snake_case(cls.__name__)

    @classmethod
    def idea(cls) -> str:
        """First line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    @classmethod
    def timers(cls) -> tuple[str, ...]:
        """Intervals at whose multiples it wants to be called, "1d", the longest first."""
        return intervals_of(cls.handlers, "timer")

    @classmethod
    def decides_itself(cls) -> bool:
        """Whether it takes events in another way than by marked methods."""
        return cls.handle is not Strategy.handle

    def validate(self) -> None:
        """Refuse parameters that make no sense together by raising ValueError; called before anything runs."""

    # ---- what a strategy may look at --------------------------------------------------------------------------------
    @property
    def position(self) -> float:
        """Base units held of the symbol; negative when short."""
        return self._view.position(self.symbol)

    def position_of(self, symbol: str) -> float:
        """Base units held of any symbol; negative when short."""
        return self._view.position(self._symbol(symbol))

    @property
    def entry_price(self) -> float:
        """Average entry price of the position in the symbol, quote units; 0.0 when flat."""
        return self._view.entry_price(self.symbol)

    @property
    def cash(self) -> float:
        """Quote units not invested."""
        return self._view.cash

    @property
    def equity(self) -> float:
        """Cash and positions at the last prices, quote units."""
        return self._view.equity

    @property
    def orders(self) -> list[Order]:
        """Working orders of all symbols, in the order in which they were sent, those of brackets too."""
        return self._view.orders()

    def candles(self, timeframe: str | None = None, *, symbol: str | None = None) -> pd.DataFrame:
        """The last closed candles, the newest last (a copy): `warmup` of them, or in `generate_signals` those given.

        Args:
            timeframe: of coarser candles, "4h": those that the others contain from beginning to end. None: the base.
            symbol: None for the one of the event that is answered.
        """
        return self._tables.table(self.symbol if symbol is None else symbol, timeframe)

    def align(self, series: pd.Series[Any], timeframe: str, *, symbol: str | None = None) -> pd.Series[Any]:
        """Values of coarser candles on the base bars: each sees the last value that was known at its close.

        Args:
            series: one value per candle of `self.candles(timeframe)`.
            timeframe: of those, "4h".
            symbol: whose base bars; None for the one of the event that is answered.
        """
        return timeframes.align(series, self.candles(symbol=symbol), timeframe, self.timeframe)

    # ---- what a strategy may ask for --------------------------------------------------------------------------------
    def buy(
        self,
        *,
        quantity: float | None = None,
        notional: float | None = None,
        symbol: str | None = None,
        **words: Unpack[OrderWords],
    ) -> str:
        """Buy: at the market, or where `limit=` or `stop=` are given, at a price.

        Args:
            quantity: base units; or
            notional: quote units.
            symbol: None for the one of the event that is answered.
            **words: see OrderWords: prices, what protects the position, how long the order works.

        Returns:
            The order's id, for `cancel` and `replace`.
        """
        return self._order(Size(self._symbol(symbol), 1, quantity, notional), words)

    def sell(
        self,
        *,
        quantity: float | None = None,
        notional: float | None = None,
        symbol: str | None = None,
        **words: Unpack[OrderWords],
    ) -> str:
        """Sell: as `buy`, on the other side."""
        return self._order(Size(self._symbol(symbol), -1, quantity, notional), words)

    def target(
        self,
        *,
        exposure: float | None = None,
        quantity: float | None = None,
        notional: float | None = None,
        symbol: str | None = None,
        limit: float | None = None,
        rebalance: bool = False,
        **words: Unpack[BracketWords],
    ) -> None:
        """Hold this much from the next open on; nothing happens as long as it is what was asked for before.

        So a symbol whose position was closed by what protects it stays flat until something else is asked for.

        Args:
            exposure: fraction of equity: 1 all in, 0 flat, -1 short with all; or
            quantity: base units, negative for short; or
            notional: quote units, negative for short.
            symbol: None for the one of the event that is answered.
            limit: worst price, quote units; None for the market's.
            rebalance: trade although the target is the one before.
            **words: see BracketWords: what protects the position, all of it.
        """
        symbol = self._symbol(symbol)
        unit, amount = asking.one_target(exposure=exposure, quantity=quantity, notional=notional)
        asking.check_bounds(self.name(), self.bounds, unit, amount)
        asking.refuse_unknown(words, asking.BRACKET_WORDS)
        limit = asking.positive("limit", limit)
        side = (amount > 0) - (amount < 0)
        price = limit or self._view.mark(symbol)
        bracket = asking.bracket_of(words, side, price)
        request = TargetRequest(symbol, amount, 1.0, unit, limit, bracket, rebalance)
        if self.sizing is not None and unit == EXPOSURE and side:
            closes = self.candles(symbol=symbol)["close"].to_numpy()
            size = scale_now(self.sizing, closes, Entry(amount, price, bracket), Scaling.of(self))
            request = request._replace(size=size, unit=unit_of(self.sizing))
        self._ask(request)

    def close(self, symbol: str | None = None) -> None:
        """Be flat from the next open on."""
        symbol = self._symbol(symbol)
        self._ask(TargetRequest(symbol, 0.0, rebalance=self._view.position(symbol) != 0.0))

    def protect(self, *, symbol: str | None = None, **words: Unpack[BracketWords]) -> None:
        """Protect the whole position, in the place of what protected it before; without words: not any more."""
        symbol = self._symbol(symbol)
        asking.refuse_unknown(words, asking.BRACKET_WORDS)
        held = self._view.position(symbol)
        bracket = asking.bracket_of(words, (held > 0) - (held < 0), self._view.mark(symbol))
        self._ask(ProtectRequest(symbol, bracket))

    def cancel(self, order_id: str) -> None:
        """Cancel a working order; nothing happens if it does not work any more."""
        self._ask(CancelRequest(order_id))

    def cancel_all(self, symbol: str | None = None) -> None:
        """Cancel every working order of a symbol (None: of the event's) but those that protect a position."""
        symbol = self._symbol(symbol)
        for order in self._view.orders(symbol):
            if order.role is Role.OWN:
                self._ask(CancelRequest(order.order_id))

    def replace(
        self, order_id: str, *, quantity: float | None = None, limit: float | None = None, stop: float | None = None
    ) -> str:
        """Cancel a working order and send it again, changed; nothing happens if it does not work any more.

        Returns:
            The new order's id.
        """
        changes = asking.changes_of(quantity=quantity, limit=limit, stop=stop)
        order = next((each for each in self._view.orders() if each.order_id == order_id), None)
        symbol = order.symbol if order else self.symbol
        asking.check_stop(order.side if order else 0, changes["stop"], self._view.mark(symbol))
        requests, new_id = self._open_requests(), self._view.new_id(symbol, self._time)
        requests.append(ReplaceRequest(order_id, new_id, **changes))
        return new_id

    def emit(self, name: str, value: Plain) -> None:
        """Tell every strategy of the session: their methods marked @on(name) are called with an Emitted.

        Args:
            name: of the event, a word of your own.
            value: a number, a text, True, False or None.
        """
        check_own_name(name)
        self._ask(EmitRequest(name, asking.plain(value)))

    def scales(self, candles: pd.DataFrame, signals: pd.DataFrame) -> Floats | None:
        """What a signal of 1 means at each bar, shape (bars,), in `unit_of(self.sizing)`; None without a sizing."""
        return scales_of(self.sizing, candles, signals, Scaling.of(self)) if self.sizing else None

    def _order(self, size: Size, words: Mapping[str, Any]) -> str:
        asking.refuse_unknown(words, asking.ORDER_WORDS)
        size = asking.checked_size(size)
        requests, order_id = self._open_requests(), self._view.new_id(size.symbol, self._time)
        requests.append(asking.order_request(size, order_id, self._view.mark(size.symbol), words))
        return order_id

    def _symbol(self, given: str | None) -> str:
        if given is None:
            return self.symbol
        if self.symbols and given not in self.symbols:
            raise ValueError(f"'{given}' is not traded here (there are: {', '.join(self.symbols)})")
        return given

    def _ask(self, request: Request) -> None:
        self._open_requests().append(request)

    def _open_requests(self) -> list[Request]:
        if self._requests is None:
            raise FixStrategy(
                f"{self.name()} can ask for orders only while it answers an event, in a method marked with @on:"
                f" not in __init__, validate or generate_signals{calling_line(self)}"
            )
        return self._requests

    # ---- called by the machinery ------------------------------------------------------------------------------------
    def begin(self, symbols: str | Sequence[str], warmup: int | str | None, *, timeframe: str = "") -> None:
        """Start on symbols with an empty history of `warmup` bars ("all": without a bound).

        Args:
            symbols: that are traded, in order; or the only one.
            warmup: bars; None for as many as an event strategy is given that declares none.
            timeframe: of the candles; "" keeps the one that was set.
        """
        self.symbols = tuple(filter(None, (symbols,) if isinstance(symbols, str) else symbols))
        self.symbol = self._first_symbol = self.symbols[0] if self.symbols else ""
        self.timeframe = timeframe or self.timeframe
        size = DEFAULT_HISTORY if warmup is None else warmup
        if self.sizing is not None and size != "all":
            size = max(int(size), check_sizing(self.sizing).bars)
        coarser = intervals_of(self.handlers, "candles")
        self._past = Past(self.symbols, None if size == "all" else max(1, int(size)), self.timeframe, coarser)
        self._tables = self._past

    def fresh(self) -> Self:
        """A strategy of the same kind and parameters, for the same run, that has seen nothing."""
        fresh = type(self)(**self.values)
        fresh.bounds, fresh.sizing, fresh.calendar = self.bounds, self.sizing, self.calendar
        fresh.begin(self.symbols, self.warmup, timeframe=self.timeframe)
        return fresh

    def warm_up(self, candle: CandleClosed) -> None:
        """Remember a closed candle of the past without deciding on it."""
        self._past.append(candle)

    @contextmanager
    def given(self, tables: Mapping[str, pd.DataFrame]) -> Iterator[None]:
        """Let `self.candles` give these tables, by symbol, and let nothing be asked for, while tables are worked on."""
        before, requests = self._tables, self._requests
        self._tables, self._requests = Given(tables, self.timeframe), None
        try:
            yield
        finally:
            self._tables, self._requests = before, requests

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        """Requests in answer to an event: the marked methods, in order of their names.

        A candle that completes coarser ones is answered from the coarsest down: first "candles:1d", then "candles:4h",
        last "candles".
        """
        finished: Sequence[Finished] = ()
        if isinstance(event, CandleClosed):
            finished = self._past.append(event)
            methods, self.symbol, self._time = self._answers.candles, event.symbol, event.time
        else:
            methods, symbol, self._time = self._answers.to_other(event)
            self.symbol = symbol or self._first_symbol
        if not methods and not finished:
            return NO_REQUESTS
        self._view = view
        requests: list[Request] = []
        self._requests = requests
        try:
            for timeframe, candle in finished:
                for method in self._answers.to(f"candles:{timeframe}"):
                    method(candle)
            for method in methods:
                method(event)
        except Terminated:
            raise
        except AlgotradeError as error:
            raise with_line(self, error)  # noqa: B904 - it is the same error
        except (Exception, SystemExit) as error:  # the boundary to a person's own code: anything may come out of it
            raise explained(self, error) from error
        finally:
            self._requests = None
        return requests
