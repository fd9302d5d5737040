"""What is particular to the demo exchange; the rest stands in the contract suite."""

from __future__ import annotations

import pytest

from algotrade.errors import FixData
from algotrade.exchange.opening import open_exchange
from algotrade.market.simulate import END_MS, FIRST_MS

NOON = 1_706_702_400_000  # 2024-01-31 12:00 UTC
DAY = 86_400_000


@pytest.mark.parametrize("since", [-DAY, 0, FIRST_MS - 1, FIRST_MS])
async def test_its_history_begins_in_2010(since: int) -> None:
    async with open_exchange("demo", clock=lambda: NOON) as demo:
        rows = await demo.candles("BTC/USD", "1d", since=since, limit=3)

    assert rows[:, 0].tolist() == [FIRST_MS, FIRST_MS + DAY, FIRST_MS + 2 * DAY]


async def test_its_first_days_are_a_short_page() -> None:
    async with open_exchange("demo", clock=lambda: FIRST_MS + 2 * DAY + 1) as demo:
        assert len(await demo.candles("BTC/USD", "1d", since=None, limit=None)) == 3


async def test_pages_follow_each_other_without_a_gap_up_to_now() -> None:
    async with open_exchange("demo", clock=lambda: NOON) as demo:
        first = await demo.candles("BTC/USD", "1h", since=NOON - 1_500 * 3_600_000, limit=None)
        second = await demo.candles("BTC/USD", "1h", since=int(first[-1, 0]) + 3_600_000, limit=None)

    assert (len(first), len(second)) == (1_000, 501)
    assert second[0, 0] == first[-1, 0] + 3_600_000
    assert second[-1, 0] == NOON


@pytest.mark.parametrize("now", [FIRST_MS - 1, END_MS])
async def test_a_clock_outside_its_years_is_an_error(now: int) -> None:
    async with open_exchange("demo", clock=lambda: now) as demo:
        with pytest.raises(FixData, match="2010 to 2059"):
            await demo.ticker("BTC/USD")
