"""Hashes of blocks say where two tables differ, and revisions are taken back until the blocks are the old ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from algotrade.market.blocks import AT_MOST, Block, BlockChange, block_hashes, blocks_from, differing
from algotrade.market.candles import candle_table, content_hash
from algotrade.market.revisions import Revision, restore

HOUR = 3_600_000
START = 1_577_836_800_000


def table(bars: int, *, without: tuple[int, ...] = (), raised: dict[int, float] | None = None) -> pd.DataFrame:
    """Hourly candles at 100, those in `raised` at another price."""
    numbers = np.array([bar for bar in range(bars) if bar not in without])
    price = np.array([(raised or {}).get(int(bar), 100.0) for bar in numbers])
    return candle_table(START + numbers * HOUR, [price] * 5)


def revision(bar: int, seen: int, before: float, after: float) -> Revision:
    return Revision(START + bar * HOUR, seen, (before,) * 5, (after,) * 5)


def restored(now: pd.DataFrame, then: pd.DataFrame, *revisions: Revision) -> Any:
    return restore(now, START, block_hashes(then, "1h"), revisions)


@pytest.mark.parametrize("bars", [1, 127, 128, 129, 5000, 100_000])
def test_there_are_at_most_128_blocks_and_every_bar_is_in_one(bars: int) -> None:
    blocks = block_hashes(table(bars), "1h")
    assert len(blocks.blocks) <= AT_MOST
    assert sum(block.rows for block in blocks.blocks) == bars
    assert blocks.length_ms % HOUR == 0


def test_the_same_bars_have_the_same_blocks_whatever_comes_after() -> None:
    short, long = table(500), table(600)
    recorded = block_hashes(short, "1h")
    assert differing(recorded.blocks, blocks_from(long.iloc[:500], START, recorded.length_ms)) == []


def test_a_block_without_a_bar_is_left_out() -> None:
    blocks = block_hashes(table(100, without=tuple(range(10, 90))), "1h")
    assert [(block.start - START) // HOUR for block in blocks.blocks] == [*range(10), *range(90, 100)]


@given(bar=some.integers(0, 999), other=some.integers(0, 999))
def test_what_differs_is_found_in_its_block_alone(bar: int, other: int) -> None:
    recorded = block_hashes(table(1000), "1h")
    changed = table(1000, raised={bar: 101.0, other: 99.0})
    found = differing(recorded.blocks, blocks_from(changed, START, recorded.length_ms))
    places = {START + number * HOUR // recorded.length_ms * recorded.length_ms for number in (bar, other)}
    assert {change.start for change in found} == places


def test_bars_that_came_or_went_are_counted() -> None:
    assert BlockChange(Block(START, 8, "a"), Block(START, 7, "b")).sentence() == (
        "from 2020-01-01T00:00:00Z: 8 bars then, 7 now"
    )
    assert BlockChange(None, Block(START, 2, "b")).sentence() == "from 2020-01-01T00:00:00Z: 0 bars then, 2 now"
    assert BlockChange(Block(START, 8, "a"), Block(START, 8, "b")).sentence().endswith("8 bars, of other values now")


def test_only_what_came_after_the_run_is_taken_back() -> None:
    then, now = table(300, raised={5: 101.0}), table(300, raised={5: 103.0, 200: 99.0})
    changes = [revision(5, 1, 100.0, 101.0), revision(5, 2, 101.0, 102.0), revision(5, 3, 102.0, 103.0)]
    past = restored(now, then, *changes, revision(200, 4, 100.0, 99.0))
    assert content_hash(past.candles) == content_hash(then)
    assert past.differing == ()
    assert [(one.time, one.old[0], one.new[0]) for one in past.undone] == [
        (START + 5 * HOUR, 101.0, 103.0),
        (START + 200 * HOUR, 100.0, 99.0),
    ]


def test_what_no_revision_explains_is_left_as_it_is() -> None:
    now = table(300, raised={5: 103.0, 200: 99.0})
    past = restored(now, table(300), revision(200, 4, 100.0, 99.0), revision(5, 9, 101.0, 103.0))
    assert [change.start for change in past.differing] == [START + 4 * HOUR]
    assert [one.time for one in past.undone] == [START + 200 * HOUR]
    assert past.candles["close"].iloc[5] == 103.0


def test_added_bars_cannot_be_taken_back_and_are_placed() -> None:
    past = restored(table(300), table(300, without=(7,)))
    assert [change.sentence()[:36] for change in past.differing] == ["from 2020-01-01T04:00:00Z: 3 bars th"]
    assert past.undone == ()
