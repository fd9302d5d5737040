"""Weights of several symbols in one account, as a trader writes them; every machine must tell the same.

    day | BTC     | ETH   | weights  | happens                        | equity
    1   | 100 100 | 50 50 | 0.5 0.5  |                                | 1000
    2   | 100 120 | 50 40 | 0.5 0.5! | BTC buy 5 @ 100; ETH buy 10 @ 50 | 1000

* a symbol's cell: open and close, "-" where it has no bar; columns in the order in which the symbols are given.
* weights: at this day's close, in the same order; "!" says that positions are rebalanced to them.
* happens: at this day's open, "BTC buy 5 @ 100" and where it is so "fee 2", or "BTC refused CODE", in this order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.setup import Setup
from algotrade.backtest.weights_run import KnownWeights, run_weights
from algotrade.engine.fills import Costs
from algotrade.evaluate.portfolio import Outcome
from algotrade.market.candles import candle_table, times_ms, utc_index
from algotrade.market.instrument import Instrument
from algotrade.strategy.weights import Plan, PortfolioStrategy

DAY = 86_400_000
HAPPENED = re.compile(r"(\w+) (?:(buy|sell) ([\d.]+) @ ([\d.]+)(?: fee ([\d.]+))?|refused (\w+))")

Happened = tuple[int, str, str, float, float, float]


class Scenario(NamedTuple):
    title: str
    tables: dict[str, pd.DataFrame]
    plan: Plan
    setup: Setup
    happens: list[Happened]
    equity: list[float]


def scenario(
    title: str, table: str, *, band: float = 0.0, rules: Mapping[str, float] | None = None, **costs: float
) -> Scenario:
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    symbols, days = lines[0][1:-3], [int(line[0]) for line in lines[1:]]
    tables = {}
    for place, symbol in enumerate(symbols, 1):
        bars = [(int(line[0]) * DAY, *map(float, line[place].split())) for line in lines[1:] if line[place] != "-"]
        times, opens, closes = (np.array(column) for column in zip(*bars, strict=True)) if bars else ([], [], [])
        prices = [opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, np.ones(len(bars))]
        tables[symbol] = candle_table(np.array(times, np.int64), prices)
    weights = np.array([[float(each) for each in line[-3].rstrip("!").split()] for line in lines[1:]])
    rebalance = np.array([line[-3].endswith("!") for line in lines[1:]])
    happens = [told for day, line in zip(days, lines[1:], strict=True) for told in _happenings(day, line[-2])]
    setup = Setup(
        tuple(Instrument(symbol, **(rules or {})) for symbol in symbols),
        "1d",
        cash=1_000.0,
        costs=Costs(**{"fee_rate": 0.0, "slippage_rate": 0.0, **costs}),
        rebalance_band=band,
    )
    equity = [float(line[-1]) for line in lines[1:]]
    return Scenario(title, tables, Plan(np.array(days) * DAY, weights, rebalance), setup, happens, equity)


def _happenings(day: int, cell: str) -> list[Happened]:
    found: list[Happened] = []
    for text in filter(None, (part.strip() for part in cell.split(";"))):
        match = HAPPENED.fullmatch(text)
        assert match is not None, text
        symbol, side, quantity, price, fee, refused = match.groups()
        found.append((day, symbol, side or refused, *(float(each or 0.0) for each in (quantity, price, fee))))
    return found


STORIES = [
    scenario(
        "half and half",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                  | 1000
        2   | 100 120 | 50 40 | 0.5 0.5 | BTC buy 5 @ 100; ETH buy 10 @ 50 | 1000
        3   | 120 130 | 40 40 | 0.5 0.5 |                                  | 1050
        """,
    ),
    scenario(
        "drift alone trades nothing",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                  | 1000
        2   | 100 300 | 50 50 | 0.5 0.5 | BTC buy 5 @ 100; ETH buy 10 @ 50 | 2000
        3   | 300 300 | 50 50 | 0.5 0.5 |                                  | 2000
        """,
    ),
    scenario(
        "a rebalanced row brings both back, the sale first",
        """
        day | ETH   | BTC     | weights  | happens                            | equity
        1   | 50 50 | 100 100 | 0.5 0.5  |                                    | 1000
        2   | 50 50 | 100 300 | 0.5 0.5! | ETH buy 10 @ 50; BTC buy 5 @ 100   | 2000
        3   | 50 50 | 300 300 | 0.5 0.5  | BTC sell 1.666666667 @ 300; ETH buy 10 @ 50 | 2000
        4   | 50 50 | 300 300 | 0.5 0.5  |                                    | 2000
        """,
    ),
    scenario(
        "what does not have to move on a rebalanced row is refused as nothing",
        """
        day | BTC     | ETH   | weights  | happens                                        | equity
        1   | 100 100 | 50 50 | 0.5 0.0  |                                                | 1000
        2   | 100 100 | 50 50 | 0.5 0.0! | BTC buy 5 @ 100                                | 1000
        3   | 100 100 | 50 50 | 0.5 0.0  | BTC refused nothing_to_trade                   | 1000
        """,
    ),
    scenario(
        "only the symbol whose weight changes is traded",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                  | 1000
        2   | 100 200 | 50 50 | 0.5 0.2 | BTC buy 5 @ 100; ETH buy 10 @ 50 | 1500
        3   | 200 200 | 50 50 | 0.5 0.2 | ETH sell 4 @ 50                  | 1500
        """,
    ),
    scenario(
        "what is sold pays for what is bought, whatever their order",
        """
        day | ETH   | BTC     | weights | happens                           | equity
        1   | 50 50 | 100 100 | 0.0 1.0 |                                   | 1000
        2   | 50 50 | 100 110 | 1.0 0.0 | BTC buy 10 @ 100                  | 1100
        3   | 50 50 | 110 110 | 1.0 0.0 | BTC sell 10 @ 110; ETH buy 22 @ 50 | 1100
        """,
    ),
    scenario(
        "a buy takes no more than the cash that is there",
        """
        day | BTC     | ETH   | weights | happens                         | equity
        1   | 100 100 | 50 50 | 0.5 0.0 |                                 | 1000
        2   | 100 200 | 50 50 | 0.5 0.5 | BTC buy 5 @ 100                 | 1500
        3   | 200 200 | 50 50 | 0.5 0.5 | ETH buy 10 @ 50                 | 1500
        """,
    ),
    scenario(
        "every open of the moment is known before anything is sized",
        """
        day | BTC     | ETH   | weights | happens           | equity
        1   | 100 100 | 50 50 | 0.5 0.0 |                   | 1000
        2   | 100 100 | 50 50 | 0.5 0.2 | BTC buy 5 @ 100   | 1000
        3   | 200 200 | 50 50 | 0.5 0.2 | ETH buy 6 @ 50    | 1500
        """,
    ),
    scenario(
        "the fee of the first purchase leaves less for the second",
        """
        day | BTC     | ETH   | weights | happens                                            | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                                    | 1000
        2   | 100 100 | 50 50 | 0.5 0.5 | BTC buy 4 @ 100 fee 100; ETH buy 7.2 @ 50 fee 90   | 810
        """,
        fee_rate=0.25,
    ),
    scenario(
        "slippage and half the spread make both sides worse",
        """
        day | BTC     | ETH   | weights | happens           | equity
        1   | 100 100 | 50 50 | 1.0 0.0 |                   | 1000
        2   | 100 100 | 50 50 | 0.0 0.0 | BTC buy 8 @ 125   | 800
        3   | 100 100 | 50 50 | 0.0 0.0 | BTC sell 8 @ 75   | 600
        """,
        slippage_rate=0.125,
        spread_rate=0.25,
    ),
    scenario(
        "a symbol that begins later is bought at its second bar",
        """
        day | BTC     | ETH   | weights | happens                         | equity
        1   | 100 100 | -     | 0.5 0.0 |                                 | 1000
        2   | 100 100 | -     | 0.5 0.0 | BTC buy 5 @ 100                 | 1000
        3   | 100 100 | 50 50 | 0.5 0.5 |                                 | 1000
        4   | 100 100 | 50 60 | 0.5 0.5 | ETH buy 10 @ 50                 | 1100
        """,
    ),
    scenario(
        "an order waits over missing bars, and is sized where it fills",
        """
        day | BTC     | ETH   | weights | happens         | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                 | 1000
        2   | 100 140 | -     | 0.5 0.5 | BTC buy 5 @ 100 | 1200
        3   | 140 140 | -     | 0.5 0.5 |                 | 1200
        4   | 140 140 | 25 25 | 0.5 0.5 | ETH buy 20 @ 25 | 1200
        """,
    ),
    scenario(
        "the newest weight is what a waiting order brings about",
        """
        day | BTC     | ETH   | weights | happens         | equity
        1   | 100 100 | 50 50 | 0.0 1.0 |                 | 1000
        2   | 100 100 | -     | 0.0 0.2 |                 | 1000
        3   | 100 100 | -     | 0.0 0.4 |                 | 1000
        4   | 100 100 | 40 40 | 0.0 0.4 | ETH buy 10 @ 40 | 1000
        """,
    ),
    scenario(
        "a wish taken back while it waited is refused as nothing",
        """
        day | BTC     | ETH   | weights | happens                      | equity
        1   | 100 100 | 50 50 | 0.0 1.0 |                              | 1000
        2   | 100 100 | -     | 0.0 0.0 |                              | 1000
        3   | 100 100 | 50 50 | 0.0 0.0 | ETH refused nothing_to_trade | 1000
        """,
    ),
    scenario(
        "orders that waited go before younger ones",
        """
        day | BTC     | ETH   | weights | happens                                            | equity
        1   | 100 100 | 50 50 | 0.0 0.5 |                                                    | 1000
        2   | 100 100 | -     | 0.5 0.5 |                                                    | 1000
        3   | 100 100 | 50 50 | 0.5 0.5 | ETH buy 8 @ 50 fee 100; BTC buy 3.6 @ 100 fee 90   | 810
        """,
        fee_rate=0.25,
    ),
    scenario(
        "while a bar is missing the last close counts",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                  | 1000
        2   | 100 100 | 50 70 | 0.5 0.5 | BTC buy 5 @ 100; ETH buy 10 @ 50 | 1200
        3   | 100 110 | -     | 0.5 0.5 |                                  | 1250
        4   | 110 110 | 60 60 | 0.5 0.5 |                                  | 1150
        """,
    ),
    scenario(
        "what ends early stays what it was worth",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                  | 1000
        2   | 100 100 | 50 40 | 0.5 0.0 | BTC buy 5 @ 100; ETH buy 10 @ 50 | 900
        3   | 100 200 | -     | 0.0 0.0 |                                  | 1400
        4   | 200 200 | -     | 0.0 0.0 | BTC sell 5 @ 200                 | 1400
        """,
    ),
    scenario(
        "within the band nothing is traded, beyond it all of the way",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 100 100 | 50 50 | 0.5 0.5 |                                  | 1000
        2   | 100 140 | 50 50 | 0.5 0.5 | BTC buy 5 @ 100; ETH buy 10 @ 50 | 1200
        3   | 140 200 | 50 50 | 0.5 0.5 |                                  | 1500
        4   | 200 200 | 50 50 | 0.5 0.5 | BTC sell 1.25 @ 200; ETH buy 5 @ 50 | 1500
        """,
        band=0.1,
    ),
    scenario(
        "an order for a changed weight is not sent once more for the drift, behind the others",
        """
        day | BTC     | ETH   | weights | happens                                                         | equity
        1   | 100 100 | 50 50 | 0.1 0.0 |                                                                 | 1000
        2   | 100 100 | 50 50 | 0.4 0.4 | BTC buy 0.8 @ 100 fee 20                                        | 980
        3   | 100 100 | 50 50 | 0.4 0.4 | BTC buy 2.496 @ 100 fee 62.4; ETH buy 5.87264 @ 50 fee 73.408   | 844.192
        """,
        band=0.1,
        fee_rate=0.25,
    ),
    scenario(
        "a rebalanced row sells what should have gone before",
        """
        day | BTC     | weights | happens                         | equity
        1   | 100 100 | 0.2     |                                 | 1000
        2   | 100 100 | 0.0     | BTC buy 2 @ 100                 | 1000
        3   | 50 50   | 0.0!    | BTC refused below_min_notional  | 900
        4   | 100 100 | 0.0     | BTC sell 2 @ 100                | 1000
        """,
        rules={"min_notional": 150.0},
    ),
    scenario(
        "steps round down, and the rest stays cash",
        """
        day | BTC     | ETH   | weights | happens                          | equity
        1   | 300 300 | 70 70 | 0.5 0.5 |                                  | 1000
        2   | 300 300 | 70 70 | 0.5 0.5 | BTC buy 1 @ 300; ETH buy 7 @ 70  | 1000
        """,
        rules={"quantity_step": 1.0},
    ),
    scenario(
        "too small an order is refused and not tried again before the weight changes",
        """
        day | BTC     | ETH   | weights   | happens                                       | equity
        1   | 100 100 | 50 50 | 0.5 0.01  |                                               | 1000
        2   | 100 100 | 50 50 | 0.5 0.01  | BTC buy 5 @ 100; ETH refused below_min_notional | 1000
        3   | 100 100 | 50 50 | 0.5 0.02  |                                               | 1000
        4   | 100 100 | 50 50 | 0.5 0.02  | ETH buy 0.4 @ 50                              | 1000
        """,
        rules={"min_notional": 20.0},
    ),
    scenario(
        "a rebalanced row tries again what was refused",
        """
        day | BTC     | weights | happens                        | equity
        1   | 100 100 | 0.01    |                                | 1000
        2   | 100 100 | 0.01!   | BTC refused below_min_quantity | 1000
        3   | 20 20   | 0.01    | BTC buy 0.5 @ 20               | 1000
        """,
        rules={"min_quantity": 0.5},
    ),
    scenario(
        "one symbol is a portfolio as well",
        """
        day | BTC     | weights | happens            | equity
        1   | 100 100 | 1.0     |                    | 1000
        2   | 100 150 | 0.5     | BTC buy 10 @ 100   | 1500
        3   | 200 200 | 0.0     | BTC sell 5 @ 200   | 2000
        4   | 100 100 | 0.0     | BTC sell 5 @ 100   | 1500
        """,
    ),
    scenario(
        "three symbols, of which two at most",
        """
        day | BTC     | ETH   | SOL   | weights     | happens                           | equity
        1   | 100 100 | 50 50 | 10 10 | 0.5 0.5 0.0 |                                   | 1000
        2   | 100 100 | 50 50 | 10 10 | 0.5 0.0 0.5 | BTC buy 5 @ 100; ETH buy 10 @ 50  | 1000
        3   | 100 100 | 50 50 | 10 20 | 0.5 0.0 0.5 | ETH sell 10 @ 50; SOL buy 50 @ 10 | 1500
        """,
    ),
]


# ---- the machines ---------------------------------------------------------------------------------------------------
def plain_loop(told: Scenario) -> Outcome:
    return run_weights(told.tables, told.plan, told.setup, compile_from=10**9)


def machine_code(told: Scenario) -> Outcome:
    pytest.importorskip("numba")
    return run_weights(told.tables, told.plan, told.setup, compile_from=0)


def event_by_event(told: Scenario) -> Outcome:
    return run_event_loop(told.tables, KnownWeights(told.setup.symbols, told.plan), told.setup)


def asked_at_every_moment(told: Scenario) -> Outcome:
    """As on paper: a strategy that knows the candles so far."""
    table = pd.DataFrame(told.plan.weights, utc_index(told.plan.times), list(told.tables))
    table = table.assign(rebalance=told.plan.rebalance)

    class FromTable(PortfolioStrategy):
        def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
            known = np.unique(np.concatenate([times_ms(each) for each in candles.values()]))
            return table.loc[utc_index(known)]

    strategy = FromTable()
    strategy.begin(told.setup.symbols, "all", timeframe="1d")
    return run_event_loop(told.tables, strategy, told.setup)


MACHINES = (plain_loop, machine_code, event_by_event, asked_at_every_moment)


def happened(told: Scenario, outcome: Outcome) -> list[Happened]:
    """Fills and refusals by day; of one day the refusals last, as there is no common order of theirs."""
    days, symbols, found = (told.plan.times // DAY).tolist(), told.setup.symbols, []
    for bar, side, quantity, price, fee, part in zip(*(outcome.filled[:5]), outcome.filled.part, strict=True):
        found.append((days[bar], symbols[part], "buy" if side > 0 else "sell", quantity, price, fee))
    for symbol, result in zip(symbols, outcome.results, strict=True):
        found += [(refused.time // DAY, symbol, refused.reason, 0.0, 0.0, 0.0) for refused in result.rejections]
    return sorted(found, key=lambda each: (each[0], each[2] not in ("buy", "sell")))


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
@pytest.mark.parametrize("told", STORIES, ids=lambda told: told.title)
def test_every_machine_tells_the_table(told: Scenario, machine: Callable[[Scenario], Any]) -> None:
    outcome = machine(told)
    found = happened(told, outcome)
    assert [each[:3] for each in found] == [each[:3] for each in told.happens]
    for ours, expected in zip(found, told.happens, strict=True):
        assert ours[3:] == pytest.approx(expected[3:], rel=1e-8)
    assert outcome.equity_values.tolist() == pytest.approx(told.equity, rel=1e-9)


@pytest.mark.parametrize("told", STORIES, ids=lambda told: told.title)
def test_all_machines_agree_to_the_last_bit(told: Scenario) -> None:
    first, *others = (machine(told) for machine in MACHINES)
    for other in others:
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(first.filled, other.filled, strict=True))
        assert np.array_equal(first.equity_values, other.equity_values)
        assert first.rejections == other.rejections


def test_there_are_stories_of_every_number_of_symbols() -> None:
    assert {len(told.tables) for told in STORIES} == {1, 2, 3}
    assert not any(math.isnan(each) for told in STORIES for each in told.equity)
