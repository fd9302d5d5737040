"""The exchange of orders once more, as plain as it can be: one symbol, one book. Nothing of ours is imported.

Rules, as a trader would tell them:

* A market order fills at the next open, worse by the slippage; those that reduce the position before the others.
* Inside a bar the price goes to one extreme, to the other, and to the close. Stops fill where they are touched, worse
  by the slippage but within the bar; limits fill where the price goes through them.
* What the open is beyond already fills at the open; a limit that is new takes there, but no worse than its limit.
* Brackets come with the fill. One part fills, the others go; without a position nothing protects any more.
* Of the ways through the bar the one is taken that leaves the account worth less (or more). Where an order with a
  bracket fills inside the bar, the price may also have turned right behind it. And from the first extreme it may have
  gone back just as far as a trailing stop must be led to be set off when the price comes there again.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import NamedTuple

NEVER = math.nan


class Candle(NamedTuple):
    open: float
    high: float
    low: float
    close: float


class Rules(NamedTuple):
    taker: float = 0.0
    maker: float = 0.0
    slippage: float = 0.0
    leverage: float = 1.0
    maintenance: float = 0.005
    can_short: bool = False
    touch: bool = False
    worst: bool = True


@dataclass
class Guards:
    """What protects what an order opens; fractions of the price of the fill."""

    stop_loss: float | None = None
    take_profit: float | None = None
    trailing: float | None = None
    activation: float | None = None
    max_bars: int | None = None


@dataclass
class Order:
    name: str
    side: int
    quantity: float | None  # None: the whole position
    kind: str = "market"  # or limit, stop, stop_limit, trailing
    limit: float = NEVER
    stop: float = NEVER
    guards: Guards | None = None
    bars: int | None = None
    immediate: bool = False
    post_only: bool = False
    reduces: bool = False
    # what becomes of it
    part: str = ""
    parent: str = ""
    new: bool = True
    armed: bool = False
    wait: int = 0
    trail: float = NEVER
    best: float = NEVER

    @property
    def acts_as_limit(self) -> bool:
        return self.kind == "limit" or (self.kind == "stop_limit" and self.armed)

    def is_met(self, price: float, *, touch: bool) -> bool:
        """Whether it is set off by a price that is there."""
        if self.acts_as_limit:
            level, ahead = self.limit, self.side * (self.limit - price)
            return ahead > 0 or (touch and price == level)
        level = self.level()
        return not math.isnan(level) and self.side * (price - level) >= 0

    def level(self) -> float:
        """Where it is set off next."""
        if self.acts_as_limit:
            return self.limit
        if self.kind == "trailing":
            return self.best * (1 + self.side * self.trail)
        return self.stop

    def on_the_way(self, start: float, end: float, *, touch: bool) -> float:
        """Price at which it is set off between two prices; NaN if it is not."""
        if self.acts_as_limit:
            if self.side * (self.limit - start) > 0:
                return start
        elif self.is_met(start, touch=touch):
            return start
        return self.level() if self.is_met(end, touch=touch) else NEVER

    def see(self, price: float) -> None:
        """A trailing stop sees a price."""
        if self.kind != "trailing":
            return
        if math.isnan(self.best):
            if math.isnan(self.stop) or self.side * (price - self.stop) <= 0:
                self.best = price
        elif self.side * (price - self.best) < 0:
            self.best = price

    def led_to(self, price: float) -> float:
        """Where this trailing stop has to be led so that its level is at the price; NaN: it is nearer already."""
        best = price / (1 + self.side * self.trail) * (1 - self.side * 1e-12)
        if not math.isnan(self.best):
            return best if self.side * (self.best - best) > 0 else NEVER
        return best if math.isnan(self.stop) else -self.side * max(-self.side * best, -self.side * self.stop)


@dataclass
class Market:
    """An account, its orders, and what happened: fills (bar, side, quantity, price, fee, part), all else in words."""

    rules: Rules
    cash: float
    position: float = 0.0
    entry: float = 0.0
    bar: int = -1
    orders: list[Order] = field(default_factory=list)
    fills: list[tuple[int, int, float, float, float, str]] = field(default_factory=list)
    said: list[tuple[int, str, str]] = field(default_factory=list)
    doubts: list[tuple[int, float, float, bool]] = field(default_factory=list)
    entered_at: float = NEVER

    # ---- what a strategy asks for ----
    def send(self, order: Order) -> None:
        self.orders.append(copy.copy(order))

    def cancel(self, name: str) -> None:
        if any(order.name == name for order in self.orders):
            self.drop(name, "")

    # ---- what the market does ----
    def step(self, candle: Candle) -> Market:
        """The next bar; the market as it is after it."""
        self.bar += 1
        self.at_open(candle.open)
        after = self.inside(candle)
        after.settle(candle.close)
        return after

    def at_open(self, price: float) -> None:
        for order in list(self.orders):
            if order.bars == 0:
                self.drop(order.name, "expired")
            elif order.bars is not None:
                order.bars -= 1
            order.wait -= 1
        due = [order for order in self.orders if order.kind == "market" and order.wait < 0]
        reducing = [order for order in due if order.side * self.position < 0]
        for order in reducing + [order for order in due if order not in reducing]:
            if order in self.orders:
                self.trade(order, price * (1 + order.side * self.rules.slippage), self.rules.taker)

    def inside(self, candle: Candle) -> Market:
        routes: list[tuple[float, ...]] = [(candle.high, candle.low), (candle.low, candle.high)]
        ways = [self.walked(candle, turns) for turns in routes]
        for price in dict.fromkeys(way.entered_at for way in list(ways) if not math.isnan(way.entered_at)):
            turn = price + (price - candle.open) * 1e-9
            routes += [(turn, candle.high, candle.low), (turn, candle.low, candle.high)]
        ways += [self.walked(candle, turns) for turns in routes[2:]]
        ways += [self.walked(candle, turns, back=True) for turns in routes]
        values = [way.cash + way.position * candle.close for way in ways]
        low, high = min(values), max(values)
        chosen = ways[values.index(low if self.rules.worst else high)]
        diverges = len({way.position for way in ways}) > 1
        if high - low > 1e-12 * abs(high) or diverges:
            chosen.doubts.append((self.bar, low, high, diverges))
        return chosen

    def walked(self, candle: Candle, turns: tuple[float, ...], *, back: bool = False) -> Market:
        way = copy.deepcopy(self)
        way.entered_at = NEVER
        way.leg(candle.open, candle.open, candle)
        for order in [order for order in way.orders if order.kind != "market"]:
            order.new = False
            if order.immediate:
                way.drop(order.name, "not_filled_at_once")
        start = candle.open
        for number, end in enumerate((*turns, candle.close)):
            way.leg(start, end, candle)
            if back and number == len(turns) - 2:
                way.go_back(end, candle)
            start = end
        return way

    def go_back(self, extreme: float, candle: Candle) -> None:
        """Leave the extreme and come back, the nearest turn first, until no trailing stop can be caught there."""
        while True:
            turns = [order.led_to(extreme) for order in self.orders if order.kind == "trailing"]
            turns = [turn for turn in turns if candle.low < turn < candle.high]
            if not turns:
                return
            turn = min(turns, key=lambda price: abs(price - extreme))
            self.leg(extreme, turn, candle)
            self.leg(turn, extreme, candle)

    def leg(self, start: float, end: float, candle: Candle) -> None:
        while True:
            for order in self.orders:
                order.see(start)
            hits = [(order.on_the_way(start, end, touch=self.rules.touch), order) for order in self.orders]
            hits = [(price, order) for price, order in hits if order.kind != "market" and not math.isnan(price)]
            hits.sort(key=lambda hit: abs(hit[0] - start))
            margin = self.liquidation(start, end)
            if not math.isnan(margin) and (not hits or abs(margin - start) <= abs(hits[0][0] - start)):
                start = margin
                self.lose_margin()
            elif hits:
                start = hits[0][0]
                self.set_off(hits[0][1], start, candle)
            else:
                break
        for order in self.orders:
            order.see(end)

    def set_off(self, order: Order, price: float, candle: Candle) -> None:
        slipped = price * (1 + order.side * self.rules.slippage)
        if order.kind == "stop_limit" and not order.armed:
            order.armed = True
            order.new = order.side * (order.limit - price) > 0 or (self.rules.touch and order.limit == price)
        elif not order.acts_as_limit:
            self.trade(order, min(max(slipped, candle.low), candle.high), self.rules.taker, candle)
        elif not order.new:
            self.trade(order, price, self.rules.maker, candle)
        elif order.post_only:
            self.refuse(order, "would_take")
        else:
            within = min(slipped, order.limit) if order.side > 0 else max(slipped, order.limit)
            self.trade(order, within, self.rules.taker, candle)

    # ---- executions ----
    def trade(self, order: Order, price: float, fee_rate: float, candle: Candle | None = None) -> None:
        before = self.position
        if order.reduces and before * order.side >= 0:
            self.drop(order.name, "position_closed")
            return
        quantity = abs(before) if order.quantity is None else order.quantity
        if order.reduces:
            quantity = min(quantity, abs(before))
        after, fee = before + order.side * quantity, quantity * price * fee_rate
        reason = self.why_not(before, after, price, fee)
        if reason:
            self.refuse(order, reason)
            return
        self.orders.remove(order)
        self.book(order.side, quantity, price, fee, order.part)
        if order.parent:
            for other in [other for other in self.orders if other.parent == order.parent]:
                self.drop(other.name, "other_filled")
        self.forget_needless(before)
        if order.guards is not None and after * order.side > 0:
            self.guard(order, price, min(quantity, abs(after)))
            if candle is not None and candle.low < price < candle.high and math.isnan(self.entered_at):
                self.entered_at = price

    def why_not(self, before: float, after: float, price: float, fee: float) -> str:
        if abs(after) <= abs(before) and after * before >= 0:
            return ""
        if after < 0 and not self.rules.can_short:
            return "nothing_to_sell"
        left = self.cash + before * price - fee
        too_much = abs(after) * price > self.rules.leverage * left * (1 + 1e-9)
        return "insufficient_funds" if too_much else ""

    def book(self, side: int, quantity: float, price: float, fee: float, part: str) -> None:
        before, after = self.position, self.position + side * quantity
        if abs(after) <= 1e-12 * quantity:
            after = 0.0  # the last bits of binary fractions
        if before == 0 or before * after < 0:
            self.entry = price
        elif abs(after) > abs(before):
            self.entry = (abs(before) * self.entry + quantity * price) / (abs(before) + quantity)
        self.cash = self.cash - side * (quantity * price) - fee
        self.position = after
        self.fills.append((self.bar, side, quantity, price, fee, part))

    def forget_needless(self, before: float) -> None:
        """A position that is closed, or has turned round, needs its protection no more."""
        if self.position == 0 or self.position * before < 0:
            for order in [order for order in self.orders if order.reduces and order.side * self.position >= 0]:
                self.drop(order.name, "position_closed")

    def guard(self, order: Order, price: float, quantity: float) -> None:
        side, guards = order.side, order.guards
        assert guards is not None

        def part(name: str, kind: str) -> Order:
            whole = f"{order.name}/{name}"
            return Order(whole, -side, quantity, kind, reduces=True, part=name, parent=order.name, new=False)

        if guards.stop_loss is not None:
            stop = part("stop_loss", "stop")
            stop.stop = price * (1 + -side * guards.stop_loss)
            self.orders.append(stop)
        if guards.trailing is not None:
            trailing = part("trailing_stop", "trailing")
            trailing.trail = guards.trailing
            if guards.activation is not None:
                trailing.stop = price * (1 + side * guards.activation)
            trailing.see(price)
            self.orders.append(trailing)
        if guards.take_profit is not None:
            target = part("take_profit", "limit")
            target.limit = price * (1 + side * guards.take_profit)
            self.orders.append(target)
        if guards.max_bars is not None:
            out = part("max_bars", "market")
            out.wait = guards.max_bars - 1
            self.orders.append(out)

    # ---- margins ----
    def liquidation(self, start: float, end: float) -> float:
        if self.position == 0 or (self.position > 0 and self.rules.leverage <= 1):
            return NEVER
        side = 1 if self.position > 0 else -1
        level = self.entry * (1 - side / self.rules.leverage) / (1 - side * self.rules.maintenance)
        if side * start <= side * level:
            return start
        return level if side * end <= side * level else NEVER

    def lose_margin(self) -> None:
        before, side = self.position, -1 if self.position > 0 else 1
        price = self.entry * (1 + side / self.rules.leverage)
        self.book(side, abs(before), price, 0.0, "liquidation")
        self.forget_needless(before)

    def settle(self, close: float) -> None:
        """An account that is worth nothing is closed, and what it owes is forgiven."""
        if self.cash + self.position * close <= 0 and (self.rules.can_short or self.rules.leverage > 1):
            if self.position != 0:
                self.lose_margin()
            self.cash = 0.0

    # ---- orders go ----
    def drop(self, name: str, reason: str) -> None:
        self.orders = [order for order in self.orders if order.name != name]
        self.said.append((self.bar, "cancelled", reason))

    def refuse(self, order: Order, reason: str) -> None:
        self.orders.remove(order)
        self.said.append((self.bar, "refused", reason))
