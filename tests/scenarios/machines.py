"""The ways in which a scenario can be run; all of them must tell the same story."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import new_session, run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.engine.events import BarOpened, CandleClosed, Decided, Denied, OrderFilled, OrderRejected, TradePrinted
from algotrade.engine.orders import order_id
from algotrade.engine.session import Record
from algotrade.evaluate.result import Result
from algotrade.market.candles import Floats, times_ms
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import SignalStrategy, targets_of
from tests import naive
from tests.scenarios.table import SYMBOL, Filled, Outcome, Scenario

Machine = Callable[[Scenario], Outcome]


def scripted(scenario: Scenario) -> Strategy:
    """An event strategy that asks for what the table says, at the close of each bar."""
    times = times_ms(scenario.candles).tolist()
    script = dict(zip(times, scenario.asks, strict=True))

    class Scripted(Strategy):
        @on("candles")
        def follow_the_table(self, candle: CandleClosed) -> None:
            for ask in script[candle.time]:
                match ask.kind:
                    case "target":
                        self.target(exposure=ask.amount)
                    case "cancel":
                        made_at = next(time for time in times if script[time])
                        self.cancel(order_id(SYMBOL, made_at, int(ask.amount)))
                    case side:
                        size = {"notional" if ask.is_notional else "quantity": ask.amount}
                        getattr(self, side)(**size)

    return ready(Scripted(), scenario)


def ready(strategy: Strategy, scenario: Scenario) -> Strategy:
    strategy.begin(SYMBOL, 10)
    strategy.bounds = scenario.setup.bounds
    return strategy


def signals_of(scenario: Scenario) -> pd.DataFrame:
    return pd.DataFrame({"signal": scenario.targets()}, index=scenario.candles.index)


def known(scenario: Scenario) -> Floats:
    return targets_of(signals_of(scenario))


def outcome_of(result: Result) -> Outcome:
    rows = {int(time): row for row, time in enumerate(result.times)}
    return Outcome(
        [Filled(*values) for values in zip(*(column.tolist() for column in result.filled[:5]), strict=True)],
        [(rows[refused.time], refused.reason) for refused in result.rejections],
        result.equity_values.tolist(),
    )


def plain_kernel(scenario: Scenario) -> Outcome:
    return outcome_of(run_kernel(scenario.candles, known(scenario), scenario.setup, compile_from=10**9))


def compiled_kernel(scenario: Scenario) -> Outcome:
    return outcome_of(run_kernel(scenario.candles, known(scenario), scenario.setup, compile_from=0))


def event_loop_with_known_targets(scenario: Scenario) -> Outcome:
    return outcome_of(run_event_loop(scenario.candles, KnownSignals({SYMBOL: Wanted(known(scenario))}), scenario.setup))


def event_loop_with_signal_strategy(scenario: Scenario) -> Outcome:
    signals = signals_of(scenario)

    class FromTable(SignalStrategy):
        def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
            return signals.loc[candles.index]

    return outcome_of(run_event_loop(scenario.candles, ready(FromTable(), scenario), scenario.setup))


def event_loop_with_event_strategy(scenario: Scenario) -> Outcome:
    return outcome_of(run_event_loop(scenario.candles, scripted(scenario), scenario.setup))


def session_by_hand(scenario: Scenario) -> Outcome:
    """As in paper trading: a bar opens, prices are printed inside it, it closes; the records tell what happened."""
    session = new_session(scripted(scenario), scenario.setup)
    told: list[list[Record]] = []
    for time, (open_, high, low, close, volume) in zip(
        times_ms(scenario.candles).tolist(), scenario.candles.to_numpy(np.float64).tolist(), strict=True
    ):
        told.append(session.process(BarOpened(SYMBOL, time, open_)))
        told[-1] += session.process(TradePrinted(SYMBOL, time + 1, high, 0.1, +1))
        told[-1] += session.process(TradePrinted(SYMBOL, time + 2, low, 0.1, -1))
        told[-1] += session.process(CandleClosed(SYMBOL, time, open_, high, low, close, volume))
    return told_outcome(told)


def told_outcome(told: Iterable[list[Record]]) -> Outcome:
    outcome = Outcome([], [], [])
    for bar, records in enumerate(told):
        for record in records:
            match record:
                case OrderFilled(side=side, quantity=quantity, price=price, fee=fee):
                    outcome.fills.append(Filled(bar, side, quantity, price, fee))
                case OrderRejected(reason=reason) | Denied(reason=reason):
                    outcome.refusals.append((bar, reason))
                case Decided(equity=equity):
                    outcome.equity.append(equity)
    return outcome


def naive_twin(scenario: Scenario) -> Outcome:
    market, setup = scenario.setup.instrument, scenario.setup
    terms = naive.Market(
        setup.costs.fee_rate,
        setup.costs.slippage_rate,
        market.quantity_step,
        market.min_quantity,
        market.min_notional,
        max(setup.bounds.leverage, 1.0),
        setup.costs.maintenance_rate,
    )
    bars = naive.Bars(*(scenario.candles[name].tolist() for name in ("open", "high", "low", "close")))
    fills, refusals, equity = naive.backtest(bars, known(scenario).tolist(), setup.cash, terms)
    return Outcome([Filled(*fill) for fill in fills], refusals, equity)


BY_EVENTS: tuple[Machine, ...] = (event_loop_with_event_strategy, session_by_hand)
BY_TARGETS: tuple[Machine, ...] = (
    naive_twin,
    plain_kernel,
    compiled_kernel,
    event_loop_with_known_targets,
    event_loop_with_signal_strategy,
    *BY_EVENTS,
)


def told_alike(outcome: Outcome, expected: Outcome) -> None:
    """Compare with what a table says, where numbers have the digits of a sheet of paper."""
    assert [fill[:2] for fill in outcome.fills] == [fill[:2] for fill in expected.fills]
    assert [fill[2:] for fill in outcome.fills] == [pytest.approx(fill[2:], rel=1e-9) for fill in expected.fills]
    assert outcome.refusals == expected.refusals
    assert outcome.equity == pytest.approx(expected.equity, rel=1e-9)
