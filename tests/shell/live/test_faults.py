"""An exchange that fails in every way, through an unmodified ccxt: the session says so and goes on as if it had not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from algotrade.engine.events import CandleClosed
from algotrade.live.states import State
from algotrade.live.trader import Trader, Update
from algotrade.market.simulate import simulate_candles
from tests.shell.live.sessions import MINUTE, PACE, START, CanonicalRows, Project, new_project, plan, trade
from tests.shell.loopback.kraken import Clock, LoopbackKraken

BARS = 12
SPEED = 600.0
KRAKEN = plan(exchange="kraken", speed=1.0, bars=BARS)
FAILING = ["hang", "reset", "500", "503", "429", "403", "html", "empty", "truncated", "foreign_key", "null_result"]
HARMLESS = ["duplicate_rows", "reversed_rows"]


def closed_bars(rows: CanonicalRows) -> list[dict[str, float]]:
    return [json.loads(row[3]) for row in rows if row[1] == "CandleClosed"]


class Reference(NamedTuple):
    """A run of the plan without faults: its canonical journal, and the store that knows the strategy's checks."""

    rows: CanonicalRows
    store: Path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("undisturbed")

    async def run() -> CanonicalRows:
        async with LoopbackKraken(Clock(START)) as kraken:
            project = new_project(folder, kraken, store=folder / "store.sqlite")
            await trade(project, KRAKEN, watch=started(kraken))
        return project.canonical()

    return Reference(asyncio.run(run()), folder / "store.sqlite")


def started(kraken: LoopbackKraken, speed: float = SPEED) -> Callable[[Trader, Update], None]:
    """A watch that lets the exchange's clock run from the first answer on."""

    def watch(trader: Trader, update: Update) -> None:
        if not kraken.clock.speed:
            kraken.clock.set(kraken.clock(), speed)

    return watch


def assert_no_forming_candle_was_given(rows: CanonicalRows) -> None:
    """Every candle that the strategy saw is the one that the market closed with: 0 of N were forming."""
    true = simulate_candles("BTC/USD", "1m", START, START + (BARS - 1) * MINUTE)
    given = closed_bars(rows)
    assert len(given) == BARS
    for name in ("open", "high", "low", "close"):
        np.testing.assert_allclose([bar[name] for bar in given], true[name], atol=1e-5)


async def disturbed(reference: Reference, folder: Path, fault: str, method: str | None) -> tuple[Project, list[Update]]:
    """Run the plan; the fault comes with the third closed bar and goes when the session has noticed it twice."""
    bars, failures = 0, 0

    def watch(trader: Trader, update: Update) -> None:
        nonlocal bars, failures
        started(kraken)(trader, update)
        bars += sum(isinstance(record, CandleClosed) for record in update.records)
        failures += update.retry_s is not None
        if bars >= 3 and not failures:
            kraken.fail(fault, method)
        if failures == 2 or bars >= 10:
            kraken.heal()

    async with LoopbackKraken(Clock(START)) as kraken:
        project = new_project(folder, kraken, store=reference.store)
        heard = await trade(project, KRAKEN, watch=watch)
    return project, heard


@pytest.mark.parametrize("fault", FAILING)
async def test_a_session_says_that_the_feed_fails_and_goes_on_without_a_difference(
    tmp_path: Path, undisturbed: Reference, fault: str
) -> None:
    project, heard = await disturbed(undisturbed, tmp_path, fault, "OHLC")
    failed = [update for update in heard if update.retry_s is not None]
    assert len(failed) >= 2
    assert {update.state for update in failed} == {State.DEGRADED}
    assert "trying again in" in failed[0].note
    assert heard[-1].state is State.STOPPED
    assert any("the feed is back" in update.note for update in heard)
    assert project.canonical() == undisturbed.rows
    assert_no_forming_candle_was_given(project.canonical())


@pytest.mark.parametrize("fault", HARMLESS)
async def test_rows_that_come_twice_or_backwards_change_nothing(
    tmp_path: Path, undisturbed: Reference, fault: str
) -> None:
    project, heard = await disturbed(undisturbed, tmp_path, fault, "OHLC")
    assert not [update for update in heard if update.retry_s is not None]
    assert project.canonical() == undisturbed.rows


@pytest.mark.parametrize("fault", ["hang", "503"])
async def test_every_method_may_fail(tmp_path: Path, undisturbed: Reference, fault: str) -> None:
    project, _ = await disturbed(undisturbed, tmp_path, fault, None)
    assert project.canonical() == undisturbed.rows


@pytest.mark.parametrize("seconds", [300, -300])
async def test_a_clock_that_jumps_gives_no_forming_candle(tmp_path: Path, undisturbed: Reference, seconds: int) -> None:
    bars = 0

    def watch(trader: Trader, update: Update) -> None:
        nonlocal bars
        started(kraken)(trader, update)
        before = bars
        bars += sum(isinstance(record, CandleClosed) for record in update.records)
        if before < 6 <= bars:
            kraken.clock.set(kraken.clock() + seconds * 1000, SPEED)

    async with LoopbackKraken(Clock(START)) as kraken:
        project = new_project(tmp_path, kraken, store=undisturbed.store)
        await trade(project, KRAKEN, watch=watch)
    assert project.canonical() == undisturbed.rows
    assert_no_forming_candle_was_given(project.canonical())


async def test_bars_missed_in_an_outage_are_processed_in_order_and_noted_as_late(
    tmp_path: Path, undisturbed: Reference
) -> None:
    project, heard = await disturbed(undisturbed, tmp_path, "503", None)
    late = [json.loads(row[3]) for row in project.rows() if row[1] == "late"]
    assert sum(remark["bars"] for remark in late) > 0
    assert any("late" in update.note for update in heard)
    times = [bar["time"] for bar in closed_bars(project.canonical())]
    assert times == [START + bar * MINUTE for bar in range(BARS)]


def test_pauses_grow_and_end_at_a_minute_however_long_the_outage() -> None:
    pauses = [PACE._replace(poll_s=2.0).pause_s(failures) for failures in range(1, 5000)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 4.0
    assert pauses[-1] == 45.0  # a minute, half of it by chance, which is a half here
