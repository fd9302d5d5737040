"""What every exchange promises, run on the demo exchange and on ccxt against five exchanges on 127.0.0.1.

All are fed from the same simulated market, so the expected values are known exactly.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pytest

from algotrade.errors import FixCommand
from algotrade.exchange.base import Exchange, TradePage
from algotrade.exchange.opening import open_exchange
from algotrade.market.candles import COLUMNS, ORIGINS, times_ms
from algotrade.market.simulate import FIRST_MS, instrument_of, simulate_candles, simulate_trades
from algotrade.market.timeframe import bar_start, timeframe_ms
from tests.shell.loopback.exchanges import LOOPBACKS
from tests.shell.loopback.server import Clock

NOON = int(datetime(2024, 1, 31, 12, 34, 56, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE
NS_PER_MS = 1_000_000
WALKED = ["demo", "kraken", "bitfinex", "binance"]
walked = pytest.mark.parametrize("opened", WALKED, indirect=True)
not_walked = pytest.mark.parametrize("opened", ["bitstamp", "coinbase"], indirect=True)


class Opened(NamedTuple):
    exchange: Exchange
    clock: Clock


@pytest.fixture(params=["demo", *LOOPBACKS])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    clock, name = Clock(NOON), request.param
    if name == "demo":
        async with open_exchange("demo", clock=clock) as exchange:
            yield Opened(exchange, clock)
        return
    async with (
        LOOPBACKS[name](clock) as server,
        open_exchange(name, options=server.ccxt_options, clock=clock) as exchange,
    ):
        yield Opened(exchange, clock)


async def test_the_time_is_the_exchanges_and_never_ahead_of_it(opened: Opened) -> None:
    opened.clock.set(NOON + 999, 0)

    assert NOON <= await opened.exchange.now_ms() <= NOON + 999


async def test_it_says_where_its_candles_come_from(opened: Opened) -> None:
    assert opened.exchange.origin in ORIGINS
    assert opened.exchange.simulated == (opened.exchange.name == "demo")


async def test_instruments_carry_steps_minima_and_the_markets_own_fees(opened: Opened) -> None:
    instruments = await opened.exchange.instruments()

    market = instrument_of("BTC/USD")
    instrument = await opened.exchange.instrument("BTC/USD")
    assert [each.symbol for each in instruments] == sorted(each.symbol for each in instruments)
    assert instrument in instruments
    assert instrument.quantity_step in (market.quantity_step, 0.0)  # 0 where only significant digits are known
    assert instrument.price_tick in (market.price_tick, 0.0)
    assert instrument.min_quantity == market.min_quantity
    assert instrument.taker_fee in (market.taker_fee, None)
    assert not instrument.can_short


@pytest.mark.parametrize("opened", ["demo", "kraken"], indirect=True)
async def test_where_the_exchange_tells_all_of_it_nothing_is_unknown(opened: Opened) -> None:
    assert all(each == instrument_of(each.symbol) for each in await opened.exchange.instruments())


@pytest.mark.parametrize("timeframe", ["1m", "15m", "1h", "1d"])
async def test_the_newest_page_is_full_and_ends_with_the_forming_bar(opened: Opened, timeframe: str) -> None:
    rows = await opened.exchange.candles("BTC/USD", timeframe, since=None, limit=None)

    assert rows.dtype == np.float64
    since_the_beginning = (bar_start(NOON, timeframe) - FIRST_MS) // timeframe_ms(timeframe) + 1
    assert rows.shape == (min(opened.exchange.page_limit("BTC/USD", timeframe), since_the_beginning), 6)
    assert set(np.diff(rows[:, 0])) == {timeframe_ms(timeframe)}
    assert rows[-1, 0] == bar_start(NOON, timeframe)


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
async def test_closed_candles_are_those_of_the_market_to_the_last_bit(opened: Opened, timeframe: str) -> None:
    rows = (await opened.exchange.candles("ETH/USD", timeframe, since=None, limit=None))[:-1]

    market = simulate_candles("ETH/USD", timeframe, int(rows[0, 0]), int(rows[-1, 0]))
    assert (times_ms(market) == rows[:, 0]).all()
    assert (market[list(COLUMNS)].to_numpy() == rows[:, 1:]).all()


async def test_since_is_the_open_time_of_the_first_bar(opened: Opened) -> None:
    first = bar_start(NOON, "1h") - 48 * 3_600_000

    exact = await opened.exchange.candles("BTC/USD", "1h", since=first, limit=None)
    between = await opened.exchange.candles("BTC/USD", "1h", since=first + 1, limit=None)

    assert exact[0, 0] == first
    assert len(exact) == 49
    assert between[0, 0] == first + 3_600_000


async def test_a_limit_keeps_the_oldest_bars_from_since_and_the_newest_without(opened: Opened) -> None:
    first = bar_start(NOON, "1h") - 48 * 3_600_000

    oldest = await opened.exchange.candles("BTC/USD", "1h", since=first, limit=3)
    newest = await opened.exchange.candles("BTC/USD", "1h", since=None, limit=3)

    assert oldest[:, 0].tolist() == [first, first + 3_600_000, first + 7_200_000]
    assert newest[-1, 0] == bar_start(NOON, "1h")
    assert len(newest) == 3


async def test_there_is_nothing_in_the_future(opened: Opened) -> None:
    rows = await opened.exchange.candles("BTC/USD", "1m", since=NOON + 10 * MINUTE, limit=None)

    assert rows.shape == (0, 6)


async def test_the_forming_bar_agrees_with_the_ticker(opened: Opened) -> None:
    rows = await opened.exchange.candles("BTC/USD", "1h", since=None, limit=None)
    quote = await opened.exchange.ticker("BTC/USD")
    _, open_, high, low, close, volume = rows[-1]

    assert quote.last == close or quote.time < NOON - 5_000  # some tell of the last trade
    assert low <= quote.last <= high
    assert low <= open_ <= high
    assert quote.bid < close < quote.ask
    assert volume > 0
    assert NOON - MINUTE < quote.time <= NOON  # some give the time of the last trade


async def test_a_bar_grows_until_it_closes_and_then_stays(opened: Opened) -> None:
    minute = bar_start(NOON, "1m")
    seen = []
    for later in (0, 10_000, 30_000, 59_999, 60_000, 120_000):
        opened.clock.set(minute + later, 0)
        rows = await opened.exchange.candles("BTC/USD", "1m", since=minute, limit=1)
        seen.append(rows[0])
    highs, lows, volumes = np.array(seen).T[[2, 3, 5]]

    assert (np.diff(highs) >= 0).all()
    assert (np.diff(lows) <= 0).all()
    assert (np.diff(volumes) >= 0).all()
    assert (seen[4] == seen[5]).all()


async def test_an_unknown_symbol_is_answered_with_the_nearest_and_the_list(opened: Opened) -> None:
    for ask in (
        opened.exchange.instrument("BTC/USDD"),
        opened.exchange.ticker("BTC/USDD"),
        opened.exchange.candles("BTC/USDD", "1h", since=None, limit=None),
    ):
        with pytest.raises(FixCommand, match=r"'BTC/USDD'.*Did you mean 'BTC/USD'\?") as raised:
            await ask
        assert raised.value.hint == f"algotrade list markets --exchange {opened.exchange.name}"


async def test_an_unknown_timeframe_is_answered_with_the_list(opened: Opened) -> None:
    with pytest.raises(FixCommand, match="no 7m candles") as raised:
        await opened.exchange.candles("BTC/USD", "7m", since=None, limit=None)

    assert raised.value.hint == f"algotrade list timeframes --exchange {opened.exchange.name}"


async def test_every_timeframe_it_names_works(opened: Opened) -> None:
    names = opened.exchange.timeframes()

    assert {"1m", "1h", "1d"} <= set(names)
    assert all(timeframe_ms(name) > 0 for name in names)
    assert all(opened.exchange.page_limit("BTC/USD", name) > 0 for name in names)


async def test_calls_at_the_same_time_do_not_disturb_each_other(opened: Opened) -> None:
    alone = await opened.exchange.candles("BTC/USD", "1h", since=None, limit=5)

    together = await asyncio.gather(
        *(opened.exchange.candles("BTC/USD", "1h", since=None, limit=5) for _ in range(4)),
        opened.exchange.ticker("ETH/USD"),
        opened.exchange.instruments(),
    )

    assert all((rows == alone).all() for rows in together[:4])


async def test_closing_twice_is_no_error(opened: Opened) -> None:
    assert await opened.exchange.close() is None
    assert await opened.exchange.close() is None


async def test_the_newest_trades_end_with_the_last_one_made(opened: Opened) -> None:
    page = await opened.exchange.trades("BTC/USD", cursor=None, since_ns=None, limit=20)

    made = simulate_trades("BTC/USD", NOON - 30 * MINUTE, NOON)
    last = made.prices[made.times <= NOON][-20:]
    assert page.prices[-20:].tolist() == last.tolist()
    assert NOON - MINUTE < page.times_ns[-1] // NS_PER_MS <= NOON


@walked
async def test_trades_walked_through_make_the_markets_candles_exactly(opened: Opened) -> None:
    first = bar_start(NOON, "1h") - 30 * HOUR
    pages = await walk(opened.exchange, first * NS_PER_MS)

    times, prices, quantities = (np.concatenate(column) for column in list(zip(*pages, strict=True))[:3])
    ids = [each for page in pages for each in page.ids]
    assert len(pages) > 1
    assert (np.diff(times) >= 0).all()
    assert len(set(ids)) == len(ids)
    candles = simulate_candles("BTC/USD", "1m", first, bar_start(NOON, "1m") - MINUTE)
    minutes = (times // NS_PER_MS - first) // MINUTE
    for number, candle in enumerate(candles[list(COLUMNS)].to_numpy()):
        mine = prices[minutes == number]
        made = [mine[0], mine.max(), mine.min(), mine[-1], quantities[minutes == number].sum()]
        assert made == candle.tolist()


async def walk(exchange: Exchange, since_ns: int) -> list[TradePage]:
    """All pages until one holds nothing new."""
    pages = [await exchange.trades("BTC/USD", cursor=None, since_ns=since_ns, limit=500)]
    while len(pages[-1].ids):
        cursor = pages[-1].next_cursor
        pages.append(await exchange.trades("BTC/USD", cursor=cursor, since_ns=None, limit=500))
    assert pages[-1].next_cursor == pages[-2].next_cursor
    return pages[:-1]


@walked
async def test_the_first_trade_is_the_one_at_since_or_the_next(opened: Opened) -> None:
    ask = opened.exchange.trades
    page = await ask("BTC/USD", cursor=None, since_ns=(NOON - HOUR) * NS_PER_MS, limit=3)
    assert len(page.ids) == 3

    exact = await ask("BTC/USD", cursor=None, since_ns=int(page.times_ns[0]), limit=3)
    after = await ask("BTC/USD", cursor=None, since_ns=int(page.times_ns[0]) + 1, limit=2)

    assert exact.ids == page.ids
    assert after.ids == page.ids[1:][: len(after.ids)]
    assert len(after.ids) > 0


@walked
async def test_a_walk_that_has_caught_up_goes_on_with_what_is_traded_next(opened: Opened) -> None:
    pages = await walk(opened.exchange, (NOON - HOUR) * NS_PER_MS)
    opened.clock.set(NOON + 10 * MINUTE, 0)

    later = await opened.exchange.trades("BTC/USD", cursor=pages[-1].next_cursor, since_ns=None, limit=None)

    made = simulate_trades("BTC/USD", bar_start(NOON, "1m"), NOON + 10 * MINUTE)
    assert later.prices.tolist() == made.prices[(made.times > NOON) & (made.times <= NOON + 10 * MINUTE)].tolist()
    assert set(later.sides.tolist()) == {1, -1}


@not_walked
async def test_an_exchange_that_keeps_no_trades_says_so_to_whoever_wants_old_ones(opened: Opened) -> None:
    with pytest.raises(FixCommand, match="only its newest trades"):
        await opened.exchange.trades("BTC/USD", cursor=None, since_ns=NOON * NS_PER_MS, limit=None)


async def test_trades_of_an_unknown_symbol_are_answered_with_the_nearest(opened: Opened) -> None:
    with pytest.raises(FixCommand, match=r"Did you mean 'BTC/USD'\?"):
        await opened.exchange.trades("BTC/USDD", cursor=None, since_ns=None, limit=None)
