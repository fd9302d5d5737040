from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine import orders, protections, risk
from algotrade.engine.events import CandleClosed
from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.evaluate.explain import explain_bar
from algotrade.evaluate.reasons import words_of
from algotrade.evaluate.result import Result
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.protection import Wanted

DAY = 86_400_000
PRICES = [100.0, 110.0, 121.0, 121.0, 110.0]
FREE = Setup((Instrument("BTC/USD"),), "1d", costs=Costs(0.0, 0.0))


def candles() -> pd.DataFrame:
    return candle_table(pd.RangeIndex(5).to_numpy() * DAY, [PRICES] * 4 + [[1.0] * 5])


def run(targets: list[float], setup: Setup = FREE) -> Result:
    """The targets traded by the event loop, with an indicator and a word beside each signal."""
    table = candles()
    signals = pd.DataFrame({"signal": targets, "average": PRICES, "mood": ["calm"] * 5}, index=table.index)
    result = run_event_loop(table, KnownSignals({"BTC/USD": Wanted(signals["signal"].to_numpy())}), setup)
    return dataclasses.replace(result, signals=signals)


def said(targets: list[float], bar: int, setup: Setup = FREE) -> str:
    return str(explain_bar(run(targets, setup), bar)["answer"])


def limited(**limits: Any) -> Setup:
    return FREE._replace(limits=Limits(**limits))


SMALLEST = FREE._replace(instruments=(Instrument("BTC/USD", min_notional=1e6),))
TABLE = [
    # targets, bar, setup, answer
    ([0, 1, 1, 0, 0], 0, FREE, "nothing was done: the target stayed at 0, and drift alone never trades"),
    ([0, 1, 1, 0, 0], 1, FREE, "the target went from 0 to 1, and a buy filled at the next open"),
    ([0, 1, 1, 0, 0], 2, FREE, "nothing was done: the target stayed at 1, and drift alone never trades"),
    ([0, 1, 1, 0, 0], 3, FREE, "the target went from 1 to 0, and a sell filled at the next open"),
    ([0, 1, 1, 1, 0], 4, FREE, "the target went from 1 to 0; there is no next bar to fill at"),
    ([1, 1, 1, 1, 1], 0, FREE, "the target went from 0 to 1, and a buy filled at the next open"),
    ([0, 0.5, 0.5, 0, 0], 1, FREE, "the target went from 0 to 0.5, and a buy filled at the next open"),
    ([0, 1, 1, 0, 0], 1, SMALLEST,
     "the target went from 0 to 1, but the order was below the market's smallest notional"),
    ([0, 1, 1, 0, 0], 1, limited(max_order_notional=50.0),
     "the target went from 0 to 1, but the order was above the limit on one order: 10000, at most 50"),
    ([0, 1, 1, 0, 0], 1, limited(max_position_notional=50.0),
     "the target went from 0 to 1, but the position would have been above its limit: 10000, at most 50"),
    ([0, 1, 1, 0, 0], 0, limited(max_order_notional=50.0),
     "nothing was done: the target stayed at 0, and drift alone never trades"),
    ([0, 0, 0, 0, 1], 4, limited(max_order_notional=50.0),
     "the target went from 0 to 1, but the order was above the limit on one order: 10000, at most 50"),
    ([0, 1, 1, 1, 0], 2, SMALLEST,
     "nothing was done: the target stayed at 1, but nothing is held: the order of 1970-01-02T00:00:00Z was refused"
     " (the order was below the market's smallest notional)"),
    ([0, 1, 1, 1, 0], 3, limited(max_order_notional=50.0),
     "nothing was done: the target stayed at 1, but nothing is held: the order of 1970-01-02T00:00:00Z was refused"
     " (the order was above the limit on one order: 10000, at most 50)"),
    ([0, 0.4, 1, 1, 0], 3, limited(max_position_notional=5000.0),
     "nothing was done: the target stayed at 1, but the position is as before: the order of 1970-01-03T00:00:00Z was"
     " refused (the position would have been above its limit: 10000, at most 5000)"),
    ([0, 1, 0, 0, 0], 3, SMALLEST, "nothing was done: the target stayed at 0, and drift alone never trades"),
    ([0, 1, 0, 1, 1], 3, limited(cooldown_bars=3),
     "the target went from 0 to 1, and a buy filled at the next open"),
    ([1, 0, 0, 1, 1], 3, limited(max_orders_per_day=1),
     "the target went from 0 to 1, and a buy filled at the next open"),
    ([0, 0, 1, 0, 1], 4, limited(max_drawdown=0.05),
     "the target went from 0 to 1, but the account had fallen below its peak as far as it may, and positions are only"
     " reduced: since 1970-01-05T00:00:00Z, for good"),
    ([0, 1, 0, 0.4, 0.4], 4, limited(max_position_notional=5000.0),
     "nothing was done: the target stayed at 0.4, and drift alone never trades"),
]  # fmt: skip


@pytest.mark.parametrize(("targets", "bar", "setup", "answer"), TABLE)
def test_the_answer_says_what_came_of_the_bar(targets: list[float], bar: int, setup: Setup, answer: str) -> None:
    assert said(targets, bar, setup) == answer


def test_an_entry_is_told_with_what_was_seen_wanted_and_done() -> None:
    told = explain_bar(run([0, 1, 1, 0, 0]), 1)
    assert (told["bar"], told["title"]) == ("1970-01-02T00:00:00Z", "1970-01-02T00:00:00Z 1d, bar 2 of 5")
    assert told["simulated"] is False
    assert told["saw"] == {
        "open": 110.0, "high": 110.0, "low": 110.0, "close": 110.0, "volume": 1.0, "average": 110.0, "mood": "calm",
    }  # fmt: skip
    assert told["wanted"] == {"exposure": 1.0, "exposure_before": 0.0}
    assert told["did"] == {"equity_at_close": 10_000.0}
    assert told["fills"] == [
        {"time": "1970-01-03T00:00:00Z", "side": "buy", "quantity": 10_000.0 / 121.0, "price": 121.0, "fee": 0.0}
    ]


def test_the_code_of_a_refusal_is_told_beside_its_words() -> None:
    assert explain_bar(run([0, 1, 1, 0, 0], SMALLEST), 1)["did"]["refused"] == "below_min_notional"
    assert "refused" not in explain_bar(run([0, 1, 1, 0, 0], SMALLEST), 2)["did"]


class Twice(Strategy):
    """Buys twice at the second bar, and asks for far too much at the third."""

    @on("candles")
    def buy_twice(self, candle: CandleClosed) -> None:
        if candle.time == DAY:
            self.buy(quantity=1.0)
            self.buy(quantity=2.0)
        if candle.time == 2 * DAY:
            self.buy(quantity=1e9)


def test_a_strategy_that_sends_orders_is_told_by_its_orders() -> None:
    strategy = Twice()
    strategy.begin("BTC/USD", None)
    result = run_event_loop(candles(), strategy, FREE)
    quiet, busy, refused = (explain_bar(result, bar) for bar in range(3))
    nothing = "nothing was traded: no order of the strategy filled in the next bar, and none was refused"
    assert quiet["answer"] == nothing
    assert busy["answer"] == "it sent an order, and 2 orders filled at the next open"
    assert [fill["quantity"] for fill in busy["fills"]] == [1.0, 2.0]
    assert refused["answer"] == "it sent an order, but there was not enough cash"
    assert quiet["wanted"] == {}


PROTECTED = [
    # targets, bar, answer; bought at 121, with a stop-loss of 5 %
    ([0, 0, 1, 1, 1], 2, "the target went from 0 to 1, and a buy filled at the next open"),
    ([0, 0, 1, 1, 1], 3, "no order of its own filled; in the next bar the price reached the stop-loss, and a sell"
     " filled"),
    ([0, 0, 1, 1, 1], 4, "nothing was done: the target stayed at 1, but nothing is held since 1970-01-05T00:00:00Z: the"
     " price reached the stop-loss; it stays flat until the target changes"),
    ([0, 0, 0, 1, 1], 3, "the target went from 0 to 1, and a buy filled at the next open; in that bar the price reached"
     " the stop-loss, and a sell filled"),
]  # fmt: skip


class Guarded(Strategy):
    """Holds its targets, each with a stop-loss of 5 %."""

    targets: str = ""

    @on("candles")
    def follow(self, candle: CandleClosed) -> None:
        wanted = float(self.targets.split()[candle.time // DAY])
        self.target(exposure=wanted, stop_loss=0.05)


@pytest.mark.parametrize(("targets", "bar", "answer"), PROTECTED)
def test_the_answer_says_what_closed_a_position(targets: list[float], bar: int, answer: str) -> None:
    table = candles()
    if targets[2] == 0:
        table.loc[table.index[-1], ["open", "high"]] = 121.0
    signals = pd.DataFrame({"signal": targets}, index=table.index).astype(float)
    strategy = Guarded(targets=" ".join(map(str, targets)))
    strategy.begin("BTC/USD", None)
    result = dataclasses.replace(run_event_loop(table, strategy, FREE), signals=signals)
    assert explain_bar(result, bar)["answer"] == answer


def codes_of(module: Any) -> set[str]:
    """Reason codes that a module of the engine defines: its constants that are lower-case words."""
    return {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def test_every_reason_code_has_words() -> None:
    codes = (codes_of(orders) | codes_of(risk) | codes_of(protections) | set(orders.Role)) - {""}
    assert {code for code in codes if words_of(code) == code} == set()
    assert words_of("of_a_later_version") == "of_a_later_version"
    assert words_of("cooldown_bars", "2 more bars").endswith("losing round trip: 2 more bars")
