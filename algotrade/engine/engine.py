"""The engine: state is a fold. `process(event) -> effects`, without clock, I/O or randomness.

The same engine runs in backtest, on paper and live; they differ only in who supplies the events and who performs the
effects. It owns the account as we know it, the orders and where they stand, and the intention: the exposure that the
strategy wants. The strategy sees a bar only when it is closed.

When a target trades: when it differs from the one before, or when the order of its last change was cancelled from
outside. An order that was refused is an answer: it is not sent again until the target changes.

Several symbols that open or close at one moment are taken together: the account is marked at all of them before any
strategy is asked. Several strategies have a book each.

A strategy whose code raises is stopped: an effect says so, and from then on it is asked nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from algotrade.engine.account import Account
from algotrade.engine.book import Book, Decider, Tracked
from algotrade.engine.events import (
    HOLD,
    REFUSED,
    STOPPED,
    TRADE,
    BarOpened,
    BracketPlaced,
    Cancel,
    CandleClosed,
    Charged,
    Decided,
    Denied,
    Effect,
    Emitted,
    Event,
    OpenRevised,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Protect,
    StrategyStopped,
    Submit,
    TimerStruck,
    TradePrinted,
)
from algotrade.engine.orders import DONE, OTHER_FILLED, ImpossibleTransition, Order, Role, Status
from algotrade.engine.protections import Denial
from algotrade.engine.requested import changed_order, order_of, target_order
from algotrade.engine.requests import (
    CancelRequest,
    EmitRequest,
    OrderRequest,
    ProtectRequest,
    ReplaceRequest,
    Request,
    TargetRequest,
)
from algotrade.engine.risk import Limits, RiskGate
from algotrade.engine.sizing import has_drifted, target_changed
from algotrade.errors import AlgotradeError, FixStrategy

LONGEST_CHAIN: Final = 16  # of strategies that tell each other something


class Engine:
    """Folds events into state and answers with effects.

    Args:
        strategy: decides; or several by the name of their books.
        cash: quote units at the start; or of each book.
        limits: checked before an order goes out.
        symbols: that are traded, in the order in which they are asked about.
        rebalance_band: by which a position's share of equity may drift from its target before it is traded again; 0
            for any drift.
        tells_every_close: what was decided is told after every candle; else only where something was done, or another
            target is in force.
    """

    def __init__(
        self,
        strategy: Decider | Mapping[str, Decider],
        *,
        cash: float | Mapping[str, float],
        limits: Limits | None = None,
        symbols: Iterable[str] = (),
        rebalance_band: float = 0.0,
        tells_every_close: bool = True,
    ) -> None:
        named = strategy if isinstance(strategy, Mapping) else {"": strategy}
        deposits = cash if isinstance(cash, Mapping) else {"": cash}
        symbols = tuple(symbols)
        self.books = {name: Book(each, Account(deposits[name], symbols), name) for name, each in named.items()}
        self._each_book = tuple(self.books.values())
        accounts = {name: book.account for name, book in self.books.items()}
        self._gate = RiskGate(limits or Limits(), accounts)
        self._limited = limits is not None and limits.any()
        self._band = rebalance_band
        self._tells_every_close = tells_every_close
        self._closing: list[CandleClosed] = []
        self._owners: dict[str, Book] = {}  # of the orders that work

    @property
    def book(self) -> Book:
        """The first book, the only one where there is one strategy."""
        return next(iter(self.books.values()))

    @property
    def account(self) -> Account:
        """The first book's account."""
        return self.book.account

    @property
    def stopped(self) -> bool:
        """Whether no strategy is asked any more."""
        return all(book.stopped for book in self.books.values())

    def equity(self) -> float:
        """Value of all books, quote units."""
        return sum(book.account.equity() for book in self.books.values())

    def process(self, event: Event) -> list[Effect]:
        """Take one event in; return what is to be done, in order."""
        match event:
            case CandleClosed():
                return self._on_candle(event)
            case BarOpened() | OpenRevised():
                self._mark(event.symbol, event.open)
            case OrderFilled():
                return self._on_fill(event)
            case OrderAccepted(order_id=identity):
                self._move(identity, "accepted")
            case TradePrinted(symbol=symbol, price=price):
                self._mark(symbol, price)
                return self._ask_all(event, symbol, event.time)
            case TimerStruck(time=time):
                return self._ask_all(event, "", time)
            case BracketPlaced(order=order):
                self._track(order, Status.ACCEPTED)
            case Charged(book=name):
                self.books[name].account.charge(event)
            case OrderRejected(order_id=identity):
                self._move(identity, "rejected")
            case OrderCancelled(order_id=identity, reason=reason):
                if reason == OTHER_FILLED and identity in self._owners:
                    self._owners[identity].forget_change(identity)  # the target was had, and what protects it ended it
                self._move(identity, "cancelled")
        return []

    def working_orders(self) -> list[Order]:
        """Orders that may still fill, by book in the order in which they were sent."""
        return [order for book in self.books.values() for order in book.working_orders()]

    # ---- what happened ----------------------------------------------------------------------------------------------
    def _mark(self, symbol: str, price: float) -> None:
        for book in self.books.values():
            book.account.marks[symbol] = price

    def _on_candle(self, candle: CandleClosed) -> list[Effect]:
        if candle.more:
            self._mark(candle.symbol, candle.close)
            self._closing.append(candle)
            return []
        candles = [*self._closing, candle]
        self._closing.clear()
        return self.close(candles)

    def close(self, candles: Sequence[CandleClosed]) -> list[Effect]:
        """Take in all candles that close at one moment; return what is to be done, in order."""
        for book in self._each_book:
            marks = book.account.marks
            for candle in candles:
                marks[candle.symbol] = candle.close
        if self._limited:
            self._gate.note_close(candles[-1].time, [candle.symbol for candle in candles])
        effects: list[Effect] = []
        for book in self._each_book:
            decisions: list[Effect] = []
            for candle in candles:
                decisions += self._ask(book, candle, candle.symbol, candle.time)
            if self._band > 0.0 and not book.stopped:
                for candle in candles:
                    decisions += self._rebalance(book, candle.symbol, candle.time)
            if decisions or self._tells_every_close or _is_news(book, candles):
                effects += decisions
                effects += _decided(book, candles, decisions)
        return effects

    def _on_fill(self, fill: OrderFilled) -> list[Effect]:
        book = self.books[fill.book]
        if fill.role is not Role.LIQUIDATION:
            self._move(fill.order_id, "partially_filled" if fill.remaining > 0.0 else "filled")
            if fill.remaining > 0.0:
                book.leave(fill.order_id, fill.remaining)
        if self._limited:
            self._gate.note_fill(fill, book.account)
        book.account.apply(fill)
        return self._ask(book, fill, fill.symbol, fill.time)

    # ---- what the strategies want -----------------------------------------------------------------------------------
    def _ask_all(self, event: Event | Emitted, symbol: str, time: int, depth: int = 0) -> list[Effect]:
        return [effect for book in self.books.values() for effect in self._ask(book, event, symbol, time, depth)]

    def _ask(self, book: Book, event: Event | Emitted, symbol: str, time: int, depth: int = 0) -> list[Effect]:
        if book.stopped:
            return []
        try:
            requests = book.strategy.handle(event, book.view)
            if depth > LONGEST_CHAIN:
                raise FixStrategy(f"more than {LONGEST_CHAIN} emitted events follow from one another")
        except AlgotradeError as error:
            book.stopped = True
            return [StrategyStopped(symbol, time, error.message, book.name)]
        if not requests:
            return []
        return [effect for request in requests for effect in self._answer(book, request, time, depth)]

    def _answer(self, book: Book, request: Request, time: int, depth: int) -> list[Effect]:
        match request:
            case TargetRequest():
                return self._aim(book, request, time)
            case OrderRequest():
                return [self._send(book, order_of(request, book, time))]
            case CancelRequest(order_id=identity):
                return [Cancel(identity, time)] if book.is_working(identity) else []
            case ReplaceRequest():
                return self._replace(book, request, time)
            case ProtectRequest(symbol=symbol, bracket=bracket):
                return [Protect(Order(book.new_id(symbol, time), symbol, time, 0, bracket=bracket, book=book.name))]
            case EmitRequest(name=name, value=value):
                emitted = Emitted(name, time, value, book.name)
                return [emitted, *self._ask_all(emitted, "", time, depth + 1)]

    def _replace(self, book: Book, request: ReplaceRequest, time: int) -> list[Effect]:
        """Cancel an order and send it again, changed; nothing if it does not work any more."""
        if not book.is_working(request.order_id):
            return []
        order = book.orders[request.order_id].order
        sent = self._send(book, changed_order(order, request, time), replaced=request.order_id)
        if not isinstance(sent, Submit):
            return [sent]
        if book.last_change.get(order.symbol) == request.order_id:
            book.last_change[order.symbol] = request.new_order_id  # which now leads to the target
        return [Cancel(request.order_id, time), sent]

    def _aim(self, book: Book, request: TargetRequest, time: int) -> list[Effect]:
        """Effects of a target: none while it is in force, else one order (and the cancel of the one it replaces)."""
        symbol, exposure = request.symbol, request.exposure
        last = book.last_change.get(symbol)
        missed = last is not None and book.orders[last].status is Status.CANCELLED
        aim = book.aims.get(symbol)
        changed = target_changed(book.targets.get(symbol, 0.0), exposure)
        changed = changed or (aim is not None and request.means_other(aim))
        book.aim(symbol, exposure)
        if not (changed or missed or request.rebalance):
            return []
        if changed or request.rebalance:
            book.aims[symbol] = request
        replaced = [Cancel(last, time)] if last is not None and book.is_working(last) else []
        sent = self._send(book, target_order(request, book, time), replaced=last)
        if last is not None and book.orders[last].status in DONE:
            del book.orders[last]
        book.last_change.pop(symbol, None)
        if isinstance(sent, Submit):
            book.last_change[symbol] = sent.order.order_id
        return [*replaced, sent]

    def _rebalance(self, book: Book, symbol: str, time: int) -> list[Effect]:
        """The target in force again, where the position's share of equity has drifted from it by more than the band.

        A position that is being traded, or was closed by what protects it, is left alone.
        """
        aim, last = book.aims.get(symbol), book.last_change.get(symbol)
        held, equity = book.account.position(symbol), book.account.equity()
        if aim is None or aim.unit == "quantity" or equity <= 0.0 or held * aim.exposure <= 0.0:
            return []
        if (last is not None and book.is_working(last)) or book.is_closing(symbol):
            return []
        wanted = aim.exposure * aim.size / (equity if aim.unit == "notional" else 1.0)
        if not has_drifted(held, book.account.marks[symbol], equity, wanted, self._band):
            return []
        return self._aim(book, aim._replace(limit=None, bracket=None, rebalance=True), time)

    def _send(self, book: Book, order: Order, replaced: str | None = None) -> Effect:
        denial = self._denial_of(order, replaced) if self._limited else None
        if denial is not None:
            return Denied(order, denial.reason, denial.detail)
        self._track(order, Status.SUBMITTED)
        return Submit(order)

    def _denial_of(self, order: Order, replaced: str | None) -> Denial | None:
        """Why our own limits keep the order back, beside all orders that work but the one that it replaces."""
        beside = [other for other in self.working_orders() if other.order_id != replaced and not other.reduce_only]
        return self._gate.denial_of(order, beside)

    # ---- orders -----------------------------------------------------------------------------------------------------
    def _track(self, order: Order, status: Status) -> None:
        book = self.books[order.book]
        book.orders[order.order_id] = Tracked(order, status)
        self._owners[order.order_id] = book

    def _move(self, identity: str, happened: str) -> None:
        if identity not in self._owners:
            raise ImpossibleTransition(f"order {identity} is not known, or was done with, when it was {happened}")
        book = self._owners[identity]
        book.move(identity, happened)
        if not book.is_working(identity):
            del self._owners[identity]


def _is_news(book: Book, candles: Sequence[CandleClosed]) -> bool:
    """Whether one of the candles is the first since another target is in force for its symbol."""
    return bool(book.retargeted) and any(candle.symbol in book.retargeted for candle in candles)


def _decided(book: Book, candles: Sequence[CandleClosed], effects: list[Effect]) -> list[Decided]:
    """Where the candles of one moment leave a book whose strategy had these effects."""
    acted = _acted(effects) if effects else {}
    account, otherwise = book.account, STOPPED if book.stopped else HOLD
    equity = account.equity()
    book.retargeted.difference_update(candle.symbol for candle in candles)
    return [
        Decided(
            candle.symbol,
            candle.time,
            book.targets.get(candle.symbol, math.nan),
            acted.get(candle.symbol, otherwise),
            account.position(candle.symbol),
            account.cash,
            equity,
            book.name,
        )
        for candle in candles
    ]


def _acted(effects: list[Effect]) -> dict[str, str]:
    """What was done about each symbol: an order that went out, else one that our own limits kept back."""
    acted: dict[str, str] = {}
    for effect in effects:
        if isinstance(effect, Submit):
            acted[effect.order.symbol] = TRADE
        elif isinstance(effect, Denied):
            acted.setdefault(effect.order.symbol, REFUSED)
    return acted
