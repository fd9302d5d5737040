"""The simulated exchange: it takes orders, and market events fill them.

* A bar opens: market orders fill, those that reduce a position before those that add to one.
* A bar closes, or a finer candle inside it, or a trade prints: limits and stops fill on the way through it
  (engine/path.py).
* Holding costs: borrowing at every close of a short, funding when it is due. An account without value is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from algotrade.engine.account import Account
from algotrade.engine.events import (
    BarOpened,
    CandleClosed,
    Charged,
    DetailCandle,
    FundingDue,
    MarketEvent,
    OrderAccepted,
    OrderEvent,
    OrderRejected,
    TradePrinted,
)
from algotrade.engine.ledger import Ledger, Spot
from algotrade.engine.orders import EXPIRED, NOT_FILLED_AT_ONCE, NOTHING_TO_TRADE, Entry, Order, OrderType, TimeInForce
from algotrade.engine.path import Bar, walk
from algotrade.engine.resting import on_ticks
from algotrade.engine.rules import Rules
from algotrade.market.timeframe import UNIT_MS

YEAR_MS: Final = 365 * UNIT_MS["d"]
BORROW: Final = "borrow"
FUNDING: Final = "funding"


class SimulatedVenue:
    """An exchange of candles, or of trades.

    Args:
        rules: markets, costs, and how a bar is read.
        cash: quote units deposited: of the only book, or by book.
    """

    def __init__(self, rules: Rules, cash: float | Mapping[str, float]) -> None:
        books = cash if isinstance(cash, Mapping) else {"": cash}
        self._rules = rules
        self._ledger = Ledger(rules, books)
        self._now = 0
        self._opening: list[BarOpened] = []
        self._may_be_liquidated = frozenset(
            symbol for symbol, market in rules.markets.items() if market.terms.leverage > 1.0 or market.can_short
        )
        self._holding_is_free = not self._may_be_liquidated and not rules.costs.borrow_rate > 0.0
        self._forming: set[str] = set()  # symbols whose bar has opened and not closed
        self._finer: set[str] = set()  # symbols whose bar is walked through by trades or finer candles

    @property
    def account(self) -> Account:
        """The account of the first book, the only one where there is one strategy."""
        return next(iter(self.accounts.values()))

    def is_idle(self) -> bool:
        """Whether a bar can do nothing to orders and accounts: none rests, and none can be liquidated or charged."""
        return self._holding_is_free and not self._ledger.resting

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The accounts by book, as the exchange keeps them."""
        return self._ledger.accounts

    def submit(self, order: Order) -> list[OrderEvent]:
        """Take an order; it works from now on."""
        taken = order
        if order.order_type is not OrderType.MARKET and order.is_target:
            side = self._side(order)
            if side == 0:
                return [OrderRejected(order.order_id, order.time, NOTHING_TO_TRADE)]
            taken = order._replace(side=side)
        taken = on_ticks(taken, self._rules.markets[order.symbol].terms.price_tick)
        in_bar = order.symbol in self._forming and order.order_type is not OrderType.MARKET
        self._ledger.place(taken, now=self._now, in_bar=in_bar)
        return [OrderAccepted(order.order_id, order.time)]

    def cancel(self, order_id: str, time: int) -> list[OrderEvent]:
        """Drop a working order; nothing happens if it is no longer there."""
        return list(self._ledger.drop(order_id, time))

    def protect(self, order: Order) -> list[OrderEvent]:
        """Put the order's bracket around the whole position of its symbol, in the place of any before."""
        account = self._ledger.accounts[order.book]
        position = account.position(order.symbol)
        if position == 0.0:
            return []
        side = 1 if position > 0.0 else -1
        return self._ledger.protect(order, Entry(side, account.average(order.symbol), order.time))

    def on_market(self, event: MarketEvent) -> list[OrderEvent]:
        """What the market event does to orders and accounts, in order."""
        if isinstance(event, BarOpened):
            return self._on_open(event)
        if isinstance(event, CandleClosed):
            return self._on_close(event)
        if isinstance(event, TradePrinted):
            return self._on_trade(event)
        if isinstance(event, DetailCandle):
            return self._on_detail(event)
        if isinstance(event, FundingDue):
            return self._on_funding(event)
        return []

    # ---- a bar opens ------------------------------------------------------------------------------------------------
    def _on_open(self, bar: BarOpened) -> list[OrderEvent]:
        self._now = bar.time
        self._forming.add(bar.symbol)
        self._ledger.mark(bar.symbol, bar.open)
        if bar.more:
            self._opening.append(bar)
            return []
        opening, self._opening = self._opening, []
        if not self._ledger.resting:
            return []
        opened = {each.symbol: each.open for each in (*opening, bar)}
        return [*self._begin_bar(opened, bar.time), *self._fill_market_orders(opened, bar.time)]

    def _begin_bar(self, opened: Mapping[str, float], time: int) -> list[OrderEvent]:
        """What waited for this bar begins to work, and what waited no longer than for the last one is gone."""
        events: list[OrderEvent] = []
        for identity, resting in list(self._ledger.resting.items()):
            if resting.order.symbol not in opened:
                continue
            if resting.expired(time):
                events += self._ledger.drop(identity, time, EXPIRED)
            else:
                self._ledger.resting[identity] = resting.at_open(time)
        return events

    def _fill_market_orders(self, prices: Mapping[str, float], time: int) -> list[OrderEvent]:
        due = [
            resting
            for resting in self._ledger.resting.values()
            if resting.order.order_type is OrderType.MARKET and resting.order.symbol in prices and resting.due(time)
        ]
        if len(due) > 1:
            due.sort(key=lambda resting: not self._reduces(resting.order))  # sells pay for buys
        events: list[OrderEvent] = []
        for resting in due:
            identity = resting.order.order_id
            if identity not in self._ledger.resting:
                continue  # the fill of another one took it along
            events += self._ledger.execute(resting, Spot(time, prices[resting.order.symbol]))
            if resting.order.time_in_force is TimeInForce.IOC:
                events += self._ledger.drop(identity, time, NOT_FILLED_AT_ONCE)
        return events

    # ---- inside a bar -----------------------------------------------------------------------------------------------
    def _on_close(self, candle: CandleClosed) -> list[OrderEvent]:
        symbol = candle.symbol
        self._now = candle.time + self._rules.bar_ms
        self._forming.discard(symbol)
        events: list[OrderEvent] = []
        if symbol in self._finer:
            self._finer.discard(symbol)
        elif self._ledger.resting or symbol in self._may_be_liquidated:
            self._ledger.volume[symbol] = candle.volume
            events = self._walk(Bar(*candle[:6]))
        self._ledger.mark(symbol, candle.close)
        self._ledger.new_volume(symbol, candle.volume)
        if self._rules.costs.borrow_rate > 0.0:
            events += self._borrow(candle)
        return events + self._ruined(symbol, candle.time) if symbol in self._may_be_liquidated else events

    def _on_detail(self, candle: DetailCandle) -> list[OrderEvent]:
        self._now = candle.time
        self._finer.add(candle.symbol)
        self._ledger.mark(candle.symbol, candle.open)
        prices = {candle.symbol: candle.open}
        events = self._fill_market_orders(prices, candle.time)
        self._ledger.volume[candle.symbol] = candle.volume
        events += self._walk(Bar(*candle[:6]))
        self._ledger.mark(candle.symbol, candle.close)
        self._ledger.new_volume(candle.symbol, candle.volume)
        return events + self._ruined(candle.symbol, candle.time)

    def _on_trade(self, trade: TradePrinted) -> list[OrderEvent]:
        self._now = trade.time
        self._finer.add(trade.symbol)
        self._ledger.mark(trade.symbol, trade.price)
        if not self._ledger.resting and trade.symbol not in self._may_be_liquidated:
            return []
        events = self._fill_market_orders({trade.symbol: trade.price}, trade.time)
        self._ledger.new_volume(trade.symbol, trade.quantity)
        price = trade.price
        events += self._walk(Bar(trade.symbol, trade.time, price, price, price, price, is_trade=True))
        return events + self._ruined(trade.symbol, trade.time)

    def _walk(self, bar: Bar) -> list[OrderEvent]:
        walked = walk(self._ledger, bar, self._rules)
        self._ledger = walked.ledger
        return walked.events

    # ---- holding ----------------------------------------------------------------------------------------------------
    def _borrow(self, candle: CandleClosed) -> list[OrderEvent]:
        rate = self._rules.costs.borrow_rate * self._rules.bar_ms / YEAR_MS
        price = candle.close
        return self._charge(candle.symbol, candle.time, BORROW, lambda position: -min(position, 0.0) * price * rate)

    def _on_funding(self, due: FundingDue) -> list[OrderEvent]:
        self._may_be_liquidated |= {due.symbol}  # it may come to owe what it has not got
        self._holding_is_free = False
        mark = self.account.marks.get(due.symbol, 0.0)
        events = self._charge(due.symbol, due.time, FUNDING, lambda position: position * mark * due.rate)
        return events + self._ruined(due.symbol, due.time)

    def _charge(self, symbol: str, time: int, reason: str, amount_of: Callable[[float], float]) -> list[OrderEvent]:
        events: list[OrderEvent] = []
        for book, account in self._ledger.accounts.items():
            amount = amount_of(account.position(symbol))
            if amount:
                charge = Charged(symbol, time, reason, amount, book)
                account.charge(charge)
                events.append(charge)
        return events

    def _ruined(self, symbol: str, time: int) -> list[OrderEvent]:
        """Close accounts without value; one that can neither borrow nor be short always has some."""
        return self._ledger.ruin(time) if symbol in self._may_be_liquidated else []

    # ---- orders -----------------------------------------------------------------------------------------------------
    def _reduces(self, order: Order) -> bool:
        return self._ledger.position(order) * self._side(order) < 0.0

    def _side(self, order: Order) -> int:
        """Side of an order at the last price."""
        return self._ledger.side(order, self._ledger.accounts[order.book].marks[order.symbol])
