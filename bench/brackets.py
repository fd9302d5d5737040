"""Do all come to the same fills where a stop and a target stand behind every entry?

Moving averages that cross, all in, a stop loss of 3 % and a take-profit of 6 %: our kernel, plain and compiled, our
event loop and a paper session must agree to the bit. Beside them backtesting.py and vectorbt, on the same signals. Like
theirs, our target fills where the price touches it, and of a stop and a target in one bar the stop comes first. After
either we stay out until the averages cross again; they get each entry once. What is left of their own rules is named
and counted, see round_trips.py; without those entries the money must be the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from algotrade.backtest.event_loop import run_event_loop
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.known_signals import KnownSignals
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.evaluate.result import Result
from algotrade.live.plan import Chosen, SessionPlan
from algotrade.live.results import session_result
from algotrade.market.candles import COLUMNS, candle_table, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.market.timeframe import timeframe_ms
from algotrade.strategy.protection import Wanted
from algotrade.strategy.signals import wanted_of
from bench import agreement
from bench.measure import Figure
from bench.peers import PEERS_WITH_STOPS, BracketTask, Outcome, Peer
from bench.round_trips import Levels, differences, round_trips
from tests.scenarios.bracketed_cross import BracketedCross
from tests.shell.live.recorded import RecordedExchange, trade_on_paper

SYMBOL = "BTC/USD"
TASK = BracketTask(cash=100_000.0, fee_rate=0.0026, stop_loss=0.03, take_profit=0.06)
LEVELS = Levels(TASK.stop_loss, TASK.take_profit)
PARAMETERS = {"fast": 10, "slow": 20, "stop": TASK.stop_loss, "goal": TASK.take_profit}
COSTS = Costs(TASK.fee_rate, 0.0)
PAPER_BARS, HISTORY = 2_000, 100  # the newest are traded on paper, after so many before them
HOURS = agreement.FILE.with_name("kraken_btcusd_1h.parquet")
TOLERANCE = 1e-6  # of the final equity


class Market(NamedTuple):
    """Candles of a timeframe."""

    name: str
    timeframe: str
    candles: pd.DataFrame

    @property
    def setup(self) -> Setup:
        """Conditions that the peers know as well."""
        return Setup((Instrument(SYMBOL),), self.timeframe, cash=TASK.cash, costs=COSTS, touch=True)


def brackets(rounds: int) -> list[Figure]:
    """Fills that differ, for each market and each of the others; `rounds` changes nothing."""
    figures: list[Figure] = []
    for market in markets():
        figures += [_among_us(market), _on_paper(market)]
        for peer in PEERS_WITH_STOPS:
            figures += _beside(peer, market)
    return figures


def markets() -> list[Market]:
    """The demo market, and Kraken's where its files are."""
    found = [
        Market("demo days", "1d", _demo("1d", "2015-01-01")),
        Market("demo hours", "1h", _demo("1h", "2022-01-01")),
    ]
    if agreement.FILE.exists():
        found.append(Market("Kraken days", "1d", agreement.kraken_days()))
    if HOURS.exists():
        hours = pd.read_parquet(HOURS).set_index("timestamp").loc["2021-01-01":"2022-12-31"]
        found.append(Market("Kraken hours", "1h", candle_table(times_ms(hours), [hours[name] for name in COLUMNS])))
    return found


def _demo(timeframe: str, start: str) -> pd.DataFrame:
    first, last = (int(pd.Timestamp(day, tz="UTC").timestamp()) * 1000 for day in (start, "2023-12-31"))
    return simulate_candles(SYMBOL, timeframe, first, last)


# ---- ourselves ------------------------------------------------------------------------------------------------------
def wanted_in(candles: pd.DataFrame, left_out: tuple[int, ...] = ()) -> Wanted:
    """What the strategy asks for, without the entries that are left out."""
    strategy = BracketedCross(**PARAMETERS)
    wanted = wanted_of(strategy, candles, strategy.signals(candles))
    for entered in left_out:
        flat = np.flatnonzero(wanted.targets[entered:] == 0.0)
        wanted.targets[entered : entered + flat[0] if len(flat) else None] = 0.0
    return wanted


def _among_us(market: Market) -> Figure:
    wanted, candles, setup = wanted_in(market.candles), market.candles, market.setup
    kernel = run_kernel(candles, wanted, setup, compile_from=len(candles) + 1)
    others = {
        "compiled": run_kernel(candles, wanted, setup, compile_from=0),
        "event loop": run_event_loop(candles, KnownSignals({SYMBOL: wanted}), setup),
    }
    return _apart(f"kernel, {' and '.join(others)} on {market.name}", kernel, others)


def _on_paper(market: Market) -> Figure:
    newest = market.candles.iloc[-PAPER_BARS - HISTORY :]
    traded, wanted = newest.iloc[HISTORY:], wanted_in(newest)
    protection = None if wanted.protection is None else wanted.protection.rows(slice(HISTORY, None))
    kernel = run_kernel(traded, Wanted(wanted.targets[HISTORY:], protection), market.setup)
    with tempfile.TemporaryDirectory() as folder:
        return _apart(
            f"kernel and paper session on {market.name}", kernel, {"paper": paper(Path(folder), market, newest)}
        )


def paper(folder: Path, market: Market, newest: pd.DataFrame) -> Result:
    """A session over candles as an exchange tells them, its fills as the journal has them."""
    times, step = times_ms(newest).tolist(), timeframe_ms(market.timeframe)
    plan = SessionPlan(
        RecordedExchange.name,
        (SYMBOL,),
        market.timeframe,
        (Chosen("bracketed_cross", PARAMETERS),),
        TASK.cash,
        TASK.fee_rate,
        costs=COSTS,
        touch=True,
        start=times[HISTORY],
        until=times[-1] + step,
    )
    exchange = RecordedExchange(newest, times[-1] + 10 * step)
    path = asyncio.run(trade_on_paper(folder, exchange, plan, BracketedCross(**PARAMETERS)))
    live, _ = session_result(path)
    assert isinstance(live, Result)
    return live


def _apart(name: str, kernel: Result, others: Mapping[str, Result]) -> Figure:
    """How many fills are not the same to the bit: bar, side, quantity, price, fee, role."""
    mine, apart = _rows(kernel), 0
    for other in others.values():
        theirs = _rows(other)
        apart += sum(a != b for a, b in zip(mine, theirs, strict=False)) + abs(len(mine) - len(theirs))
    protective = int(np.count_nonzero(kernel.filled.role))
    told = f"{len(mine):,} fills, {protective:,} by stops and targets; {kernel.equity_values[-1]:,.4f}"
    return Figure(f"{name}: fills that differ", apart, "fills", 0, detail=told)


def _rows(result: Result) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in result.filled), strict=True))


# ---- beside others --------------------------------------------------------------------------------------------------
def _beside(peer: Peer, market: Market) -> list[Figure]:
    """Round trips that differ for no reason; and the money without those that differ for one."""
    name = f"kernel and {peer.name} on {market.name}"
    if not peer.installed:
        return [Figure(name, None, "round trips", 0, detail=peer.how_to_install)]
    mine, theirs = _both(peer, market)
    ours, apart = round_trips(_fills(mine)), _differences(mine, theirs, market)
    unnamed = sum(not reason for reason in apart.values())
    finals = f"{mine.equity_values[-1]:,.4f} : {theirs.final_equity:,.4f}"
    told = f"{len(ours) - len(apart):,} of {len(ours):,} the same, {finals}{_listed(apart, market)}"
    return [
        Figure(f"{name}: round trips that differ for no known rule", unnamed, "round trips", 0, detail=told),
        _money(peer, market, tuple(bar - 1 for bar in apart)),
    ]


def _money(peer: Peer, market: Market, left_out: tuple[int, ...]) -> Figure:
    mine, theirs = _both(peer, market, left_out)
    final, same = float(mine.equity_values[-1]), not _differences(mine, theirs, market)
    told = f"{final:,.4f} : {theirs.final_equity:,.4f}, {len(mine.filled.bar):,} fills, {'same' if same else 'OTHERS'}"
    name = f"kernel and {peer.name} on {market.name} without {len(left_out)} entries: final equity apart"
    return Figure(name, abs(final / theirs.final_equity - 1.0), "of it", TOLERANCE, detail=told)


def _both(peer: Peer, market: Market, left_out: tuple[int, ...] = ()) -> tuple[Result, Outcome]:
    wanted = wanted_in(market.candles, left_out)
    theirs = peer.run_brackets(market.candles, wanted.targets > 0.0, TASK)
    return run_kernel(market.candles, wanted, market.setup), theirs


def _differences(mine: Result, theirs: Outcome, market: Market) -> dict[int, str]:
    told = [(int(bar), int(side), price) for bar, side, _, price in theirs.fills]
    return differences(round_trips(_fills(mine)), round_trips(told), market.candles, LEVELS)


def _listed(apart: Mapping[int, str], market: Market) -> str:
    """Each rule with how often it mattered, and the first entry where it did."""
    reasons, times = list(apart.values()), market.candles.index[list(apart)]
    return "".join(
        f"\n        {reasons.count(each)}x {each or 'NO KNOWN RULE'}, first {times[reasons.index(each)]:%Y-%m-%d %H:%M}"
        for each in dict.fromkeys(reasons)
    )


def _fills(result: Result) -> list[tuple[int, int, float]]:
    return [(int(bar), int(side), price) for bar, side, _, price, *_ in _rows(result)]
