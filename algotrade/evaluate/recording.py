"""From the record of a session to a result: what a backtest's event loop and a live journal have in common.

Kept are columns, so that memory grows with bars and fills; of an order only the symbol and the book, while it works.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from algotrade.engine.events import (
    AmbiguousBar,
    BracketPlaced,
    CandleClosed,
    Charged,
    Decided,
    Denied,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Submit,
)
from algotrade.engine.fills import Costs
from algotrade.engine.orders import OrderType
from algotrade.engine.session import Record
from algotrade.errors import AlgotradeError
from algotrade.evaluate.executions import (
    REASONS_TO_CHARGE,
    ROLES,
    AmbiguousBars,
    Charges,
    Fills,
    Integers,
    RanOn,
    Rejection,
    equity_of_fills,
)
from algotrade.evaluate.portfolio import PortfolioResult, Traded, assemble
from algotrade.evaluate.result import Result
from algotrade.market.candles import COLUMNS, Floats, candle_table, times_ms

EVENT_LOOP: Final = RanOn("event loop")
ROLE_CODES: Final = MappingProxyType({role: code for code, role in enumerate(ROLES)})
REASON_CODES: Final = MappingProxyType({reason: code for code, reason in enumerate(REASONS_TO_CHARGE)})
FILL_KINDS: Final = (np.int64, np.int64, *[np.float64] * 3, np.int64, np.int16, np.bool_, np.float64, np.int16)
CHARGE_KINDS: Final = (np.int64, np.int16, np.float64, np.int64, np.int16)
AMBIGUOUS_KINDS: Final = (np.int64, np.float64, np.float64, np.bool_)

Key = tuple[str, str]  # symbol and book


class Conditions(Protocol):
    """What a result must know of how it came about; `backtest.setup.Setup` has it."""

    @property
    def cash(self) -> float:
        """Quote units at the start."""
        ...

    @property
    def costs(self) -> Costs:
        """What trading and holding cost."""
        ...

    @property
    def timeframe(self) -> str:
        """Of the candles."""
        ...

    @property
    def calendar(self) -> str:
        """Decides the bars per year."""
        ...


class Recording:
    """Collects the records of a session, in order, and makes a result of them.

    Args:
        symbols: in the order in which the engine adds them up; others come behind them as they appear.
        books: the same of the strategies.
        tables: candles by symbol, where all of them are known beforehand. Then only those bars need to be told at which
            something happened, and equity follows from that.
    """

    def __init__(
        self,
        symbols: Iterable[str] = (),
        books: Iterable[str] = (),
        tables: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    ) -> None:
        self._tables = tables
        self._times = array("q")  # of the bars of all symbols
        self._candles: dict[str, tuple[array[float], ...]] = {symbol: _columns("dddddd") for symbol in symbols}
        self._equity: dict[str, array[float]] = {book: array("d") for book in books}
        self._exposure: dict[Key, tuple[array[Any], ...]] = {}  # time and target where it was told
        self._fills = _columns("qqdddqhbdh")
        self._charges = _columns("qhdqh")
        self._ambiguous: dict[str, tuple[array[Any], ...]] = {}
        self._rejections: dict[Key, list[Rejection]] = {}
        self._parts: dict[Key, int] = {}
        self._working: dict[str, Key] = {}
        self._inside: set[Key] = set()  # parts that had orders which can fill inside a bar
        self._takers: dict[type, Callable[[Any], None]] = {
            CandleClosed: self._on_candle,
            Decided: self._on_decided,
            Submit: self._on_order,
            BracketPlaced: self._on_order,
            OrderFilled: self._on_fill,
            OrderCancelled: self._on_cancelled,
            OrderRejected: self._on_rejected,
            Denied: self._on_denied,
            Charged: self._on_charged,
            AmbiguousBar: self._on_ambiguous,
        }

    def add(self, record: Record) -> None:
        """Take the next record; kinds that do not matter here are passed over."""
        take = self._takers.get(type(record))
        if take is not None:
            take(record)

    # ---- what was recorded ------------------------------------------------------------------------------------------
    def close(self, time: int) -> None:
        """The bars that opened at this time are over."""
        self._times.append(time)

    def _on_candle(self, candle: CandleClosed) -> None:
        if not len(self._times) or self._times[-1] < candle.time:
            self._times.append(candle.time)
        if candle.symbol in self._tables:
            return
        if candle.symbol not in self._candles:
            self._candles[candle.symbol] = _columns("dddddd")
        _append(self._candles[candle.symbol], candle[1:7])

    def _on_decided(self, decided: Decided) -> None:
        key = (decided.symbol, decided.book)
        if key not in self._exposure:
            self._exposure[key] = _columns("qd")
            self._equity.setdefault(decided.book, array("d"))
        equity = self._equity[decided.book]
        if len(equity) < len(self._times):  # once for all symbols of the moment
            equity.append(decided.equity)
        _append(self._exposure[key], (decided.time, decided.exposure))

    def _on_order(self, placed: Submit | BracketPlaced) -> None:
        order = placed.order
        key = self._working[order.order_id] = (order.symbol, order.book)
        if order.order_type is not OrderType.MARKET:
            self._inside.add(key)

    def _on_cancelled(self, cancelled: OrderCancelled) -> None:
        self._working.pop(cancelled.order_id, None)

    def _on_rejected(self, rejected: OrderRejected) -> None:
        key = self._working.pop(rejected.order_id, ("", ""))
        self._rejections.setdefault(key, []).append(Rejection(rejected.time, rejected.reason))

    def _on_denied(self, denied: Denied) -> None:
        order = denied.order
        rejection = Rejection(order.time, denied.reason, denied.detail)
        self._rejections.setdefault((order.symbol, order.book), []).append(rejection)

    def _on_fill(self, fill: OrderFilled) -> None:
        if fill.remaining <= 0.0:
            self._working.pop(fill.order_id, None)
        part = self._part(fill.symbol, fill.book)
        row = (fill.side, fill.quantity, fill.price, fill.fee, fill.time, ROLE_CODES[fill.role], fill.maker)
        _append(self._fills, (_row(self._times, fill.time), *row, fill.fee_quantity, part))

    def _on_charged(self, charged: Charged) -> None:
        row = (REASON_CODES[charged.reason], charged.amount, len(self._fills[0]))
        _append(self._charges, (_row(self._times, charged.time), *row, self._part(charged.symbol, charged.book)))

    def _on_ambiguous(self, ambiguous: AmbiguousBar) -> None:
        kept = self._ambiguous.setdefault(ambiguous.symbol, _columns("qddb"))
        _append(kept, (_row(self._times, ambiguous.time), ambiguous.worst, ambiguous.best, ambiguous.diverges))

    def _part(self, symbol: str, book: str) -> int:
        return self._parts.setdefault((symbol, book), len(self._parts))

    # ---- what comes of it -------------------------------------------------------------------------------------------
    def result(self, conditions: Conditions) -> Result:
        """What was recorded so far of one symbol and one strategy; what happened in an open bar is left out.

        Raises:
            AlgotradeError: there are several, see `portfolio`.
        """
        if len(self._candles) > 1 or len(self._equity) > 1:
            raise AlgotradeError("several symbols or strategies were recorded: their result is a portfolio")
        symbol, book = next(iter(self._candles), ""), next(iter(self._equity), "")
        times = np.array(self._times)[: self._bars()]
        part = self._traded((symbol, book), conditions.cash, times)
        filled, charges = self._changes(times)
        equity = np.array(self._equity.get(book, ()), np.float64)
        if self._tables:
            equity = equity_of_fills(filled, conditions.cash, part.candles["close"].to_numpy(np.float64), charges)
        return Result(
            candles=part.candles,
            signals=part.signals,
            equity_values=equity,
            filled=filled,
            rejections=tuple(each for found in self._rejections.values() for each in found),
            cash=conditions.cash,
            charges=charges,
            ambiguous=part.ambiguous,
            **_shared(conditions),
        )

    def portfolio(self, conditions: Conditions, deposits: Mapping[str, float] | None = None) -> PortfolioResult:
        """What was recorded so far of all symbols and strategies; what happened in an open bar is left out.

        Args:
            conditions: of the run.
            deposits: quote units at the start by book; None: one book has the cash of the conditions.
        """
        times = np.array(self._times)[: self._bars()]
        keys = [(symbol, book) for book in self._equity for symbol in self._candles]
        traded = [self._traded(key, (deposits or {"": conditions.cash})[key[1]], times) for key in keys]
        order = np.array([keys.index(key) for key in self._parts], np.int16)
        filled, charges = self._changes(times)
        filled, charges = filled._replace(part=order[filled.part]), charges._replace(part=order[charges.part])
        if self._tables:
            return assemble(traded, filled, charges, _shared(conditions))
        equity = np.zeros(len(times))
        for values in self._equity.values():
            equity = equity + np.array(values, np.float64)
        return assemble(traded, filled, charges, _shared(conditions), equity)

    def _bars(self) -> int:
        """How many bars are complete: every strategy has decided."""
        if self._tables:
            return len(self._times)
        return min(map(len, self._equity.values()), default=0)

    def _concerns(self, key: Key) -> bool:
        """Whether a way through a bar of its symbol can have mattered to this part: another book's orders do not."""
        return len(self._equity) < 2 or key in self._inside or not any(each[0] == key[0] for each in self._inside)

    def _changes(self, times: Integers) -> tuple[Fills, Charges]:
        filled = Fills._make(_arrays(self._fills, FILL_KINDS))
        filled = filled.only(filled.bar < len(times))
        charges = Charges._make(_arrays(self._charges, CHARGE_KINDS))
        since = filled.after_ms - times[filled.bar]  # recorded was the exchange's time
        return filled._replace(after_ms=since), charges.only(charges.bar < len(times))

    def _traded(self, key: Key, cash: float, times: Integers) -> Traded:
        symbol, book = key
        candles = self._candles_of(symbol)
        bars = int(np.searchsorted(times_ms(candles), times[-1], side="right")) if len(times) else 0
        candles = candles.iloc[:bars]
        own = times_ms(candles)
        ambiguous = AmbiguousBars._make(_arrays(self._ambiguous.get(symbol, _columns("qddb")), AMBIGUOUS_KINDS))
        ambiguous = ambiguous.only(ambiguous.bar < (len(times) if self._concerns(key) else 0))
        told, exposure = self._exposure.get(key, _columns("qd"))
        return Traded(
            symbol,
            book,
            candles,
            cash,
            _targets(candles, np.array(told), np.array(exposure)),
            ambiguous._replace(bar=np.searchsorted(own, times[ambiguous.bar])),
            tuple(self._rejections.get(key, ())),
        )

    def _candles_of(self, symbol: str) -> pd.DataFrame:
        if symbol in self._tables:
            return self._tables[symbol].loc[:, list(COLUMNS)]
        time, *prices = _arrays(self._candles.get(symbol, _columns("dddddd")), [np.float64] * 6)
        return candle_table(time.astype(np.int64), prices)


def _row(closed: array[Any], time: int) -> int:
    """Row of the bar in which something happened: the one that is still open, or the last closed one."""
    return len(closed) - 1 if len(closed) and closed[-1] >= time else len(closed)


def _shared(conditions: Conditions) -> dict[str, Any]:
    return {
        "costs": conditions.costs,
        "timeframe": conditions.timeframe,
        "calendar": conditions.calendar,
        "ran_on": EVENT_LOOP,
    }


def _targets(candles: pd.DataFrame, told: Integers, exposure: Floats) -> pd.DataFrame | None:
    """The targets in force as signals; None where the strategy sent orders of its own size.

    Args:
        candles: of the symbol.
        told: open times of the bars at which it was told what is in force, milliseconds, shape (told,).
        exposure: what was told, which holds until the next.
    """
    if np.isnan(exposure).all():
        return None
    before = np.searchsorted(told, times_ms(candles), side="right")
    signals = {"close": candles["close"], "signal": np.concatenate([[np.nan], exposure])[before]}
    return pd.DataFrame(signals, index=candles.index)


def _columns(codes: str) -> tuple[array[Any], ...]:
    return tuple(array(code) for code in codes)


def _append(columns: tuple[array[Any], ...], row: Iterable[Any]) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)


def _arrays(columns: tuple[array[Any], ...], kinds: Iterable[Any]) -> list[Any]:
    return [np.array(column).astype(kind) for column, kind in zip(columns, kinds, strict=True)]
