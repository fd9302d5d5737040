"""A backtest of known weights: from tables of candles to columns, through the compiled loop, and back to a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
import pandas as pd

from algotrade.backtest.setup import Setup, terms_of
from algotrade.backtest.weights_kernel import Aims, Markets, Traces, run_compiled, run_plain
from algotrade.engine.account import View
from algotrade.engine.events import CandleClosed, Emitted, Event
from algotrade.engine.requests import Request
from algotrade.engine.sizing import REFUSALS
from algotrade.evaluate.executions import RanOn, Rejection, fills_of, no_ambiguous_bars, no_charges
from algotrade.evaluate.portfolio import Outcome, Traded, assemble
from algotrade.market.candles import Floats, times_ms
from algotrade.market.moments import Rows, last_bars, moments_of, rows_of
from algotrade.strategy.weights import Plan, requests_for

COMPILE_FROM_CELLS: Final = 200_000  # bars of all symbols; below, the plain loop is done before numba is imported
NOTHING_TO_ASK: Final[tuple[Request, ...]] = ()


class KnownWeights:
    """A decider for weights that are already computed: moment by moment, it aims at the next row."""

    def __init__(self, symbols: Sequence[str], plan: Plan) -> None:
        self._symbols = tuple(symbols)
        self._rows = zip(plan.weights.tolist(), plan.rebalance.tolist(), strict=True)

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        """The next row once the last candle of a moment is known."""
        if not isinstance(event, CandleClosed) or event.more:
            return NOTHING_TO_ASK
        weights, rebalance = next(self._rows)
        return requests_for(self._symbols, weights, view, rebalance=rebalance)


def shared_plan(tables: Mapping[str, pd.DataFrame], targets: Mapping[str, Floats]) -> Plan:
    """Targets of each symbol at its own bars as weights, each with the same share of the equity.

    Args:
        tables: closed candles by symbol.
        targets: exposure by symbol, shape (its bars,).
    """
    moments, share = moments_of(tables), 1.0 / len(tables)
    columns = [
        np.concatenate([[0.0], targets[symbol] * share])[1 + last_bars(times_ms(table), moments)]
        for symbol, table in tables.items()
    ]
    return Plan(moments, np.column_stack(columns), np.zeros(len(moments), np.bool_))


def run_weights(
    tables: Mapping[str, pd.DataFrame], plan: Plan, setup: Setup, *, compile_from: int = COMPILE_FROM_CELLS
) -> Outcome:
    """Backtest weights over the candles of several symbols.

    Args:
        tables: closed candles by symbol.
        plan: what to hold; one row for each moment at which any symbol has a candle, a column for each of the setup's
            symbols.
        setup: cash, costs, legal sizes; no leverage, no shorts, and no costs but fees, spread and slippage.
        compile_from: bars of all symbols from which the compiled form is used.

    Returns:
        A Result of one symbol, else a PortfolioResult.
    """
    candles = [tables[symbol] for symbol in setup.symbols]
    markets, aims = columns_of(tables, plan, setup)
    traces = _traces(markets, aims, float(setup.cash), compile_from)
    return _result(candles, plan, traces, setup)


def _traces(markets: Markets, aims: Aims, cash: float, compile_from: int) -> Traces:
    """By machine code where that is worth it, and numba is there and can write its files."""
    if len(aims.weights) >= compile_from:
        with suppress(ImportError, OSError):
            return run_compiled(markets, aims, cash)
    return run_plain(markets, aims, cash)


def columns_of(tables: Mapping[str, pd.DataFrame], plan: Plan, setup: Setup) -> tuple[Markets, Aims]:
    """A run as the columns that the loop wants."""
    candles = [tables[symbol] for symbol in setup.symbols]
    rows = [rows_of(times_ms(table), plan.times) for table in candles]
    weights = np.ascontiguousarray(plan.weights, np.float64).ravel()
    aims = Aims(weights, np.ascontiguousarray(plan.rebalance, np.bool_), float(setup.rebalance_band))
    return _markets(candles, rows, len(plan.times), setup), aims


def _markets(candles: Sequence[pd.DataFrame], rows: Sequence[Rows], moments: int, setup: Setup) -> Markets:
    terms = [terms_of(instrument, setup.costs, setup.bounds) for instrument in setup.instruments]
    rules = [np.array([getattr(each, name) for each in terms]) for name in Markets._fields[2:]]
    prices = [_side_by_side([table[name] for table in candles], rows, moments) for name in ("open", "close")]
    return Markets(*prices, *rules)


def _side_by_side(columns: Sequence[pd.Series[float]], rows: Sequence[Rows], moments: int) -> Floats:
    """Prices of all symbols, shape (moments x symbols,); NaN where there is no bar."""
    wide = np.full((moments, len(columns)), np.nan)
    for place, (column, own) in enumerate(zip(columns, rows, strict=True)):
        wide[own, place] = column.to_numpy(np.float64)
    return wide.ravel()


def _result(candles: Sequence[pd.DataFrame], plan: Plan, traces: Traces, setup: Setup) -> Outcome:
    log = traces.log
    done = log.refusal == 0
    columns = (log.bar, log.side, log.quantity, log.price, log.fee)
    filled = fills_of(*(column[done] for column in columns), part=log.symbol[done].astype(np.int16))
    parts = []
    for place, symbol in enumerate(setup.symbols):
        refused = np.flatnonzero((log.symbol == place) & ~done)
        wanted = plan.weights[rows_of(times_ms(candles[place]), plan.times), place]
        signals = pd.DataFrame({"close": candles[place]["close"], "signal": wanted}, index=candles[place].index)
        rejections = map(
            Rejection, plan.times[log.bar[refused]].tolist(), [REFUSALS[code] for code in log.refusal[refused]]
        )
        parts.append(Traded(symbol, "", candles[place], setup.cash, signals, no_ambiguous_bars(), tuple(rejections)))
    shared = {"costs": setup.costs, "timeframe": setup.timeframe, "calendar": setup.calendar, "ran_on": RanOn()}
    portfolio = assemble(parts, filled, no_charges(), shared, traces.equity)
    return portfolio.parts[0].result if len(parts) == 1 else portfolio
