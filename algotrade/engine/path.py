"""A bar is a path: inside it the price goes from the open to one extreme, to the other, to the close.

Which extreme came first, a candle does not say. Where it matters to us, both ways are walked on copies of the ledger,
and the worse one is kept (or the better one, where that bound was asked for). An order that opens a position inside
the bar adds two more ways, in which the price turns right there: what protects the new position may then be reached on
either side, and a breakout with a close stop is not always won. A trailing stop adds its own: having come to the first
extreme, the price turns back just as far as the stop must follow it to be set off there, at the worst price of the bar,
and comes back. At its best it is led by the canonical ways: to the far extreme at once, or after the near one.

`worst <= what happened <= best` holds where all ways leave the same position. Where they do not, later bars decide,
and the bar says that it diverges.
"""

from __future__ import annotations

import itertools
import math
from typing import Final, NamedTuple

from algotrade.engine._jit import scalar
from algotrade.engine.events import AmbiguousBar, BracketPlaced, OrderEvent, OrderFilled, OrderRejected
from algotrade.engine.fills import comes_first, liquidation_on_leg
from algotrade.engine.ledger import Ledger, Spot
from algotrade.engine.orders import NOT_FILLED_AT_ONCE, WOULD_TAKE, OrderType, TimeInForce
from algotrade.engine.resting import Resting
from algotrade.engine.rules import WORST, Rules

ROUNDING: Final = 1e-12  # of the account: two ways that differ by less are the same
JUST: Final = 1e-9  # of the way to a price: so far behind it the price may have turned


class Bar(NamedTuple):
    """What is walked through: a candle, a finer one inside it, or a single trade, whose four prices are one.

    `is_trade`: nothing says that the market was beyond a limit before somebody traded there.
    """

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    is_trade: bool = False


class Walked(NamedTuple):
    """A way through a bar: what it leaves behind, what happened on it, and whether turning back would matter."""

    ledger: Ledger
    events: list[OrderEvent]
    may_turn_back: bool = False


class _Way(NamedTuple):
    """Where the price turns: at most once before it comes to the first extreme, and there, back to where it was."""

    before: tuple[float, ...]
    first: float
    last: float
    turns_back: bool = False


def walk(ledger: Ledger, bar: Bar, rules: Rules) -> Walked:
    """Take the orders through a bar, by the way that the rules choose.

    Args:
        ledger: before the bar; it is used up.
        bar: what is walked through.
        rules: which way, and how orders fill.
    """
    if not _anything_in_reach(ledger, bar, rules):
        stage = _Stage(ledger, bar, rules)
        stage.pass_open()
        for price in (bar.high, bar.low, bar.close):
            stage.follow(price)
        return Walked(ledger, stage.events)
    ways = _ways(ledger, bar, rules)
    values = [_value(way.ledger, bar) for way in ways]
    lowest, highest = min(values), max(values)
    chosen = ways[values.index(lowest if rules.path == WORST else highest)]
    positions = [_positions(way.ledger, bar.symbol) for way in ways]
    diverges = any(position != positions[0] for position in positions)
    if ways_differ(lowest, highest) or diverges:
        chosen.events.append(AmbiguousBar(bar.symbol, bar.time, lowest, highest, diverges))
    return chosen


@scalar
def ways_differ(lowest: float, highest: float) -> bool:
    """Whether it matters which way the price went, by the account's value at the close of the bar."""
    return highest - lowest > ROUNDING * abs(highest)


@scalar
def turns_inside(price: float, low: float, high: float) -> bool:
    """Whether a price is one in a bar at which it can have turned."""
    return low < price < high


@scalar
def turn_behind(price: float, start: float) -> float:
    """Where the price, on its way from `start`, turns just behind `price`: it went through what waited there."""
    return price + (price - start) * JUST


def _ways(ledger: Ledger, bar: Bar, rules: Rules) -> list[Walked]:
    ways = [_Way((), bar.high, bar.low), _Way((), bar.low, bar.high)]
    walked = [_walked(ledger, bar, way, rules) for way in ways]
    entered = [_entry_inside(each.events, bar) for each in walked]
    for price in dict.fromkeys(price for price in entered if price is not None):
        turning = [way._replace(before=(turn_behind(price, bar.open),)) for way in ways[:2]]
        walked += [_walked(ledger, bar, way, rules) for way in turning]
        ways += turning
    back = [way._replace(turns_back=True) for way, each in zip(ways, walked, strict=True) if each.may_turn_back]
    return walked + [_walked(ledger, bar, way, rules) for way in back]


def _entry_inside(events: list[OrderEvent], bar: Bar) -> float | None:
    """Price of the first fill away from the open that got a bracket; None without one."""
    price = math.nan
    for event in events:
        if isinstance(event, OrderFilled):
            price = event.price
        elif isinstance(event, BracketPlaced) and turns_inside(price, bar.low, bar.high):
            return price
    return None


def _walked(ledger: Ledger, bar: Bar, way: _Way, rules: Rules) -> Walked:
    tried = ledger.copy()
    stage = _Stage(tried, bar, rules)
    stage.at_open()
    stage.go(bar.open, *way.before, way.first)
    may_turn_back = not math.isnan(stage.turn_before(way.first))
    if way.turns_back:
        stage.turn_back(way.first)
    stage.go(way.first, way.last, bar.close)
    return Walked(tried, stage.events, may_turn_back)


class _Stage:
    """One way through one bar, leg by leg."""

    def __init__(self, ledger: Ledger, bar: Bar, rules: Rules) -> None:
        self.events: list[OrderEvent] = []
        self._ledger = ledger
        self._bar = bar
        self._rules = rules
        self._tick = rules.markets[bar.symbol].terms.price_tick

    def at_open(self) -> None:
        """Fill what the open fills."""
        self.leg(self._bar.open, self._bar.open)
        self.pass_open()

    def pass_open(self) -> None:
        """Note that the open has passed: orders that are immediate or nothing are gone."""
        for resting in _working(self._ledger, self._bar):
            identity = resting.order.order_id
            if resting.fresh:
                self._ledger.resting[identity] = resting._replace(fresh=False)
            if resting.order.time_in_force is TimeInForce.IOC:
                self.events += self._ledger.drop(identity, self._bar.time, NOT_FILLED_AT_ONCE)

    def follow(self, price: float) -> None:
        """Let trailing stops follow the price to here."""
        for resting in _working(self._ledger, self._bar):
            followed = resting.following(price)
            if followed is not resting:
                self._ledger.resting[resting.order.order_id] = followed

    def go(self, *prices: float) -> None:
        """Let the price go from one to the next."""
        for start, end in itertools.pairwise(prices):
            self.leg(start, end)

    def turn_back(self, extreme: float) -> None:
        """Let the price leave an extreme and come back, once for each trailing stop that is set off there by it."""
        turn = self.turn_before(extreme)
        while not math.isnan(turn):
            self.go(extreme, turn, extreme)
            turn = self.turn_before(extreme)

    def turn_before(self, extreme: float) -> float:
        """The nearest price inside the bar from which a trailing stop is set off right at the extreme; NaN: none."""
        nearest = math.nan
        for resting in _working(self._ledger, self._bar):
            turn = resting.turn_before(extreme, self._tick)
            if turns_inside(turn, self._bar.low, self._bar.high) and comes_first(turn, nearest, extreme):
                nearest = turn
        return nearest

    def leg(self, start: float, end: float) -> None:
        """Let the price go from `start` to `end`, filling what it crosses, in the order in which it comes there."""
        blocked: set[str] = set()
        while True:
            self.follow(start)
            liquidated = self._liquidated(start, end)
            hit = self._first_hit(start, end, blocked)
            if liquidated is not None and not comes_first(math.nan if hit is None else hit[0], liquidated[0], start):
                start, book = liquidated
                self.events += self._ledger.liquidate(book, self._bar.symbol, self._bar.time)
                continue
            if hit is None:
                break
            start, resting = hit
            filled_before = len(self.events)
            self._set_off(resting, start)
            just_armed = resting.order.order_type is OrderType.STOP_LIMIT and not resting.armed
            if len(self.events) == filled_before and not just_armed:
                blocked.add(resting.order.order_id)  # no volume is left for it
        self.follow(end)

    def _first_hit(self, start: float, end: float, blocked: set[str]) -> tuple[float, Resting] | None:
        best: tuple[float, Resting] | None = None
        for resting in _working(self._ledger, self._bar):
            if resting.order.order_id in blocked:
                continue
            price = resting.fills_on_leg(start, end, self._bar.time, self._tick, touch=self._rules.touch)
            if comes_first(price, math.nan if best is None else best[0], start):
                best = (price, resting)
        return best

    def _liquidated(self, start: float, end: float) -> tuple[float, str] | None:
        nearest: tuple[float, str] | None = None
        for book in self._ledger.accounts:
            price = _liquidation_on_leg(self._ledger, book, self._bar.symbol, (start, end), self._rules)
            if not math.isnan(price) and (nearest is None or abs(price - start) < abs(nearest[0] - start)):
                nearest = (price, book)
        return nearest

    def _set_off(self, resting: Resting, price: float) -> None:
        order, bar = resting.order, self._bar
        if order.order_type is OrderType.STOP_LIMIT and not resting.armed:
            armed = resting._replace(armed=True)
            takes = not math.isnan(armed.fills_on_leg(price, price, bar.time, self._tick, touch=self._rules.touch))
            self._ledger.resting[order.order_id] = armed._replace(fresh=takes)
            return
        if not resting.is_limit_now:
            spot = Spot(bar.time, price, bar.low, bar.high)
        elif not resting.fresh:
            spot = Spot(bar.time, resting.limit_at(bar.time) if bar.is_trade else price, rests=True)
        elif order.post_only:
            del self._ledger.resting[order.order_id]
            self.events.append(OrderRejected(order.order_id, bar.time, WOULD_TAKE))
            return
        else:  # the market is there already: it takes, but never beyond its limit
            limit = resting.limit_at(bar.time)
            low, high = (-math.inf, limit) if order.side > 0 else (limit, math.inf)
            spot = Spot(bar.time, price, low, high)
        self.events += self._ledger.execute(resting, spot)


def _working(ledger: Ledger, bar: Bar) -> list[Resting]:
    """Orders that the price may set off now: market orders fill at opens only."""
    return [
        resting
        for resting in ledger.resting.values()
        if resting.order.symbol == bar.symbol
        and resting.order.order_type is not OrderType.MARKET
        and resting.due(bar.time)
    ]


def _anything_in_reach(ledger: Ledger, bar: Bar, rules: Rules) -> bool:
    """Whether an order could be set off, or a position liquidated, by any way through the bar."""
    if any(account.position(bar.symbol) for account in ledger.accounts.values()):
        for book in ledger.accounts:
            for leg in ((bar.low, bar.high), (bar.high, bar.low)):
                if not math.isnan(_liquidation_on_leg(ledger, book, bar.symbol, leg, rules)):
                    return True
    tick = rules.markets[bar.symbol].terms.price_tick
    for resting in _working(ledger, bar):
        followed = resting.following(bar.high).following(bar.low)
        for start, end in ((bar.low, bar.high), (bar.high, bar.low)):
            if not math.isnan(followed.fills_on_leg(start, end, bar.time, tick, touch=rules.touch)):
                return True
    return False


def _liquidation_on_leg(ledger: Ledger, book: str, symbol: str, leg: tuple[float, float], rules: Rules) -> float:
    """Price at which a book's position is liquidated while the price goes along the leg; NaN if it is not."""
    account, terms = ledger.accounts[book], rules.markets[symbol].terms
    position, average = account.position(symbol), account.average(symbol)
    return liquidation_on_leg(position, average, terms.leverage, terms.maintenance_rate, *leg)


def _value(ledger: Ledger, bar: Bar) -> float:
    ledger.mark(bar.symbol, bar.close)
    return ledger.equity()


def _positions(ledger: Ledger, symbol: str) -> list[float]:
    return [account.position(symbol) for account in ledger.accounts.values()]
