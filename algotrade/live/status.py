"""The session as a screen shows it: built after every step, read at any moment."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from algotrade.engine.events import CandleClosed, Decided, OrderFilled
from algotrade.engine.session import Record
from algotrade.evaluate.snapshot import LiveSnapshot, Signal
from algotrade.live.clock import Clock
from algotrade.live.plan import setup_of
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
        self._setup = setup_of(opened.journal.header)
        self._signals: deque[Signal] = deque(maxlen=SHOWN)
        self._fills: deque[OrderFilled] = deque(maxlen=SHOWN)
        self._heard: tuple[int, int] | None = None  # (wall, exchange time) of the last answer
        self._retry_at: int | None = None
        self._close = math.nan
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
            if isinstance(record, CandleClosed):
                self._close, closed = record.close, True
            elif isinstance(record, OrderFilled):
                self._fills.append(record)
            elif isinstance(record, Decided):
                self._signals.append(Signal(record.time, self._close, record.exposure, record.action))
        engine, symbol = self._opened.simulation.engine, self._plan.symbol
        shown = replace(
            self._shown,
            cash=engine.account.cash,
            position=engine.account.position(symbol),
            price=engine.account.marks.get(symbol, math.nan),
            equity=engine.account.equity(),
            profit=engine.account.equity() - self._plan.cash,
            signals=tuple(self._signals),
            open_orders=tuple(engine.working_orders()),
            fills=tuple(self._fills),
        )
        if not closed:
            return shown
        result = self._opened.recording.result(self._setup)
        return replace(shown, summary=result.summary, times=result.times, equity_values=result.equity_values)

    def _exchange_time(self, wall: int) -> int:
        """The exchange's time as last heard, gone on by our own clock."""
        if self._heard is None:
            return self._opened.position.bar
        return self._heard[1] + round((wall - self._heard[0]) * self._plan.speed)


def _empty(opened: OpenSession) -> LiveSnapshot:
    """The screen before anything has happened."""
    plan = opened.plan
    return LiveSnapshot(
        session=opened.id,
        mode=MODE,
        simulated=opened.journal.header["simulated"],
        exchange=plan.exchange,
        symbol=plan.symbol,
        timeframe=plan.timeframe,
        strategy=plan.strategy,
        parameters=plan.parameters,
        state="STARTING",
        exchange_time=opened.position.bar,
        next_bar_s=math.nan,
        feed_age_s=math.nan,
        cash=plan.cash,
        position=0.0,
        price=math.nan,
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
