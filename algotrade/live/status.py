"""The session as a screen shows it: built after every step, read at any moment."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from algotrade.engine.events import REFUSED, CandleClosed, Decided, Denied, OrderFilled
from algotrade.engine.session import Record
from algotrade.evaluate.snapshot import Chosen, Holding, LiveSnapshot, Signal
from algotrade.live.clock import Clock
from algotrade.live.remarks import sentence_on_stop
from algotrade.live.sessions import OpenSession
from algotrade.live.trader import Update
from algotrade.market.timeframe import bar_start, timeframe_ms

SHOWN: Final = 50  # signals and fills kept for the screen
MODE: Final = "PAPER"


class Status:
    """Follows a session and says at any moment what its screen shows.

    Args:
        opened: the session.
        wall: the machine's clock.
    """

    def __init__(self, opened: OpenSession, wall: Clock) -> None:
        self._opened = opened
        self._wall = wall
        self._plan = opened.plan
        self._signals: deque[Signal] = deque(maxlen=SHOWN)
        self._fills: deque[OrderFilled] = deque(maxlen=SHOWN)
        self._heard: tuple[int, int] | None = None  # (wall, exchange time) of the last answer
        self._retry_at: int | None = None
        self._closes: dict[str, float] = {}
        self._refused: dict[tuple[str, str], str] = {}  # why, since the last bar
        self._shown = _empty(opened)
        self._shown = self._take(opened.recent)

    def hear(self, update: Update) -> None:
        """Take in what the trader did."""
        wall = self._wall()
        self._retry_at = None if update.retry_s is None else wall + round(update.retry_s * 1000)
        if update.now is not None:
            self._heard = (wall, update.now)
        message = update.note or ("" if update.records else self._shown.message)  # a note stays until the next event
        if self._opened.halted is not None and update.retry_s is None:
            message = sentence_on_stop(self._opened.halted)
        self._shown = replace(self._take(update.records), state=update.state.value, message=message)

    def snapshot(self) -> LiveSnapshot:
        """What the screen shows now; clocks go on while the exchange is silent. Safe from another thread."""
        plan, wall = self._plan, self._wall()
        now, step = self._exchange_time(wall), timeframe_ms(plan.timeframe)
        return replace(
            self._shown,
            exchange_time=now,
            next_bar_s=(bar_start(now, plan.timeframe) + step - now) / 1000 / plan.speed,
            feed_age_s=math.nan if self._heard is None else max(0, wall - self._heard[0]) / 1000,
            retry_in_s=None if self._retry_at is None else max(0.0, (self._retry_at - wall) / 1000),
        )

    def _take(self, records: Iterable[Record]) -> LiveSnapshot:
        """The snapshot after these records."""
        closed = False
        for record in records:
            match record:
                case CandleClosed():
                    self._closes[record.symbol], closed = record.close, closed or not record.more
                case OrderFilled():
                    self._fills.append(record)
                case Denied(order=order):
                    self._refused[order.symbol, order.book] = record.reason
                case Decided(symbol=symbol, book=book):
                    close, why = self._closes.get(symbol, math.nan), self._refused.pop((symbol, book), "")
                    why = why if record.action == REFUSED else ""
                    signal = Signal(record.time, close, record.exposure, record.action, symbol, book, why)
                    self._signals.append(signal)
        engine = self._opened.simulation.engine
        shown = replace(
            self._shown,
            cash=sum(book.account.cash for book in engine.books.values()),
            holdings=self._holdings(),
            equity=engine.equity(),
            profit=engine.equity() - self._plan.cash,
            signals=tuple(self._signals),
            open_orders=tuple(engine.working_orders()),
            fills=tuple(self._fills),
        )
        if not closed:
            return shown
        result = self._opened.outcome()
        return replace(shown, summary=result.summary, times=result.times, equity_values=result.equity_values)

    def _holdings(self) -> tuple[Holding, ...]:
        return tuple(
            Holding(
                symbol,
                name,
                book.account.position(symbol),
                book.account.average(symbol),
                book.account.marks.get(symbol, math.nan),
            )
            for name, book in self._opened.simulation.engine.books.items()
            for symbol in self._plan.symbols
        )

    def _exchange_time(self, wall: int) -> int:
        """The exchange's time as last heard, gone on by our own clock."""
        if self._heard is None:
            return _first_time(self._opened)
        return self._heard[1] + round((wall - self._heard[0]) * self._plan.speed)


def _empty(opened: OpenSession) -> LiveSnapshot:
    """The screen before anything has happened."""
    plan = opened.plan
    return LiveSnapshot(
        session=opened.id,
        mode=MODE,
        simulated=opened.journal.header["simulated"],
        exchange=plan.exchange,
        symbols=plan.symbols,
        timeframe=plan.timeframe,
        strategies=tuple(Chosen(*each) for each in plan.strategies),
        state="STARTING",
        exchange_time=_first_time(opened),
        next_bar_s=math.nan,
        feed_age_s=math.nan,
        cash=plan.cash,
        holdings=(),
        equity=plan.cash,
        profit=0.0,
        summary={},
        signals=(),
        open_orders=(),
        fills=(),
        times=np.empty(0, np.int64),
        equity_values=np.empty(0),
        message="",
        retry_in_s=None,
    )


def _first_time(opened: OpenSession) -> int:
    """Where the session stands before the exchange has answered."""
    return max(at.bar for at in opened.positions.values())
