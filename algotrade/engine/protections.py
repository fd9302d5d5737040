"""Protections: what has been lost, and for how long it keeps new orders back. Counted in events and bars, no clock."""

from __future__ import annotations

from typing import Final, NamedTuple

from algotrade.engine.account import position_after
from algotrade.engine.events import OrderFilled
from algotrade.market.candles import iso
from algotrade.market.timeframe import UNIT_MS

MAX_DAILY_LOSS: Final = "max_daily_loss"
MAX_DRAWDOWN: Final = "max_drawdown"
COOLDOWN: Final = "cooldown_bars"
MAX_CONSECUTIVE_LOSSES: Final = "max_consecutive_losses"

DAY_MS: Final = UNIT_MS["d"]


class Denial(NamedTuple):
    """Why an order may not go out: the limit's name, and since when, until when or by how much."""

    reason: str
    detail: str = ""


class EquityGuard:
    """Lets nothing be added once a day has lost too much, or the account has fallen too far below its peak.

    Equity is seen at closes and wherever an order asks; what was reached there stays reached.

    Args:
        max_daily_loss: quote units lost since the last close of the UTC day before; None: no bound.
        max_drawdown: fraction of the highest equity at a close; None: no bound.
        equity: before the first bar, quote units.
    """

    def __init__(self, max_daily_loss: float | None, max_drawdown: float | None, equity: float) -> None:
        self._max_daily_loss = max_daily_loss
        self._max_drawdown = max_drawdown
        self._day = -1
        self._at_start = equity
        self._last = equity
        self._peak = equity
        self._day_lost_at: int | None = None
        self._fallen_at: int | None = None

    def close(self, time: int, equity: float) -> None:
        """Note the account value at the close of a bar."""
        self._turn_to(time)
        self._last = equity
        self._peak = max(self._peak, equity)
        self._look(time, equity)

    def denial(self, time: int, equity: float) -> Denial | None:
        """Whether anything may be added at this account value."""
        self._turn_to(time)
        self._look(time, equity)
        if self._fallen_at is not None:
            return Denial(MAX_DRAWDOWN, f"since {iso(self._fallen_at)}, for good")
        if self._day_lost_at is not None:
            return Denial(MAX_DAILY_LOSS, f"since {iso(self._day_lost_at)} until {iso((self._day + 1) * DAY_MS)}")
        return None

    def _turn_to(self, time: int) -> None:
        """A day begins with the first event in it; one that tells of the day before does not bring that back."""
        if time // DAY_MS > self._day:
            self._day, self._at_start, self._day_lost_at = time // DAY_MS, self._last, None

    def _look(self, time: int, equity: float) -> None:
        lost = self._at_start - equity
        if self._max_daily_loss is not None and self._day_lost_at is None and lost >= self._max_daily_loss:
            self._day_lost_at = time
        fallen = self._peak - equity
        if self._max_drawdown is not None and self._fallen_at is None and fallen >= self._max_drawdown * self._peak:
            self._fallen_at = time


class Trades(NamedTuple):
    """What a book has lost in a symbol.

    Attributes:
        realised: cash of the round trip so far, fees included, quote units.
        losses: losing round trips in a row.
        lost_at: time of the last fill that ended one; None before.
        cooled: bars of the symbol closed when the cool-down ends.
        unlocked: bars of the symbol closed when the lock ends; None: never.
        locked_at: time of the fill that began the lock; None before.
    """

    realised: float = 0.0
    losses: int = 0
    lost_at: int | None = None
    cooled: int = 0
    unlocked: int | None = 0
    locked_at: int | None = None


class LossGuard:
    """Keeps a book out of a symbol for a while after losing round trips in it.

    A round trip goes from flat to flat; a fill that crosses zero ends one and begins another. It is losing when what
    it brought after fees is below 0. A bar counts when it closes: after a loss inside a bar, its close is the first of
    `cooldown_bars` closes at which nothing is opened.

    Args:
        cooldown_bars: after a losing round trip; None: none.
        max_consecutive_losses: losing round trips in a row that begin a lock; None: no lock.
        lock_bars: length of the lock; None: for good.
    """

    def __init__(self, cooldown_bars: int | None, max_consecutive_losses: int | None, lock_bars: int | None) -> None:
        self._cooldown_bars = cooldown_bars
        self._max_losses = max_consecutive_losses
        self._lock_bars = lock_bars
        self._closes: dict[str, int] = {}
        self._trades: dict[tuple[str, str], Trades] = {}

    def close(self, symbol: str) -> None:
        """A bar of the symbol closed."""
        self._closes[symbol] = self._closes.get(symbol, 0) + 1

    def fill(self, fill: OrderFilled, held: float) -> None:
        """Note a fill; `held` is the book's position before it, base units."""
        key = (fill.book, fill.symbol)
        trades = self._trades.get(key, Trades())
        received = fill.quantity - fill.fee_quantity
        after = position_after(held, fill.side, received)
        brought = -fill.side * fill.quantity * fill.price - (0.0 if fill.fee_quantity else fill.fee)
        ending = abs(held) / received if after * held < 0.0 else 1.0  # the part of a fill that closes what was held
        trades = trades._replace(realised=trades.realised + brought * ending)
        if held and after * held <= 0.0:
            trades = self._ended(trades, fill)._replace(realised=brought * (1.0 - ending))
        self._trades[key] = trades

    def denial(self, book: str, symbol: str) -> Denial | None:
        """Whether the book may add to its position in the symbol."""
        trades = self._trades.get((book, symbol))
        if trades is None or trades.lost_at is None:
            return None
        closes = self._closes.get(symbol, 0)
        if trades.locked_at is not None:
            if trades.unlocked is None:
                return Denial(MAX_CONSECUTIVE_LOSSES, f"since {iso(trades.locked_at)}, for good")
            if closes <= trades.unlocked:
                left = _bars(trades.unlocked - closes)
                return Denial(MAX_CONSECUTIVE_LOSSES, f"since {iso(trades.locked_at)}, {left}")
        if self._cooldown_bars is not None and closes <= trades.cooled:
            return Denial(COOLDOWN, f"since {iso(trades.lost_at)}, {_bars(trades.cooled - closes)}")
        return None

    def _ended(self, trades: Trades, fill: OrderFilled) -> Trades:
        if trades.realised >= 0.0:
            return trades._replace(losses=0)
        closes, losses = self._closes.get(fill.symbol, 0), trades.losses + 1
        trades = trades._replace(losses=losses, lost_at=fill.time, cooled=closes + (self._cooldown_bars or 0))
        if self._max_losses is None or losses < self._max_losses:
            return trades
        until = None if self._lock_bars is None else closes + self._lock_bars
        return trades._replace(losses=0, locked_at=fill.time, unlocked=until)


def _bars(left: int) -> str:
    """How much longer it lasts, told at a close that is itself one of its bars."""
    if left == 0:
        return "until the next bar"
    return f"{left} more {'bar' if left == 1 else 'bars'}"
