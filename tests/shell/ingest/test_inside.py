"""What a run reads besides its candles: finer candles, trades and funding, all of them from the store."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from algotrade.config import default_settings
from algotrade.errors import FixCommand, FixData
from algotrade.ingest.inside import Markets, Wish, check_wish, load_series, read_inside
from algotrade.ingest.source import DataRequest, MarketData
from algotrade.market.candles import COLUMNS, SeriesKey, resample, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_time
from algotrade.store.arrivals import write_candles
from algotrade.store.database import Database
from algotrade.store.funding import put_funding
from algotrade.store.trades import PageRecord, TradeBlock, keep_page

BTC, PERPETUAL = "BTC/USD", "BTC/USDT:USDT"
START = parse_time("2024-01-01")
HOUR, DAY = 3_600_000, 86_400_000
HOURS = simulate_candles(BTC, "1h", START, START + 3 * DAY - 1)
DAYS = resample(HOURS, "1h", "1d")


@pytest.fixture
def db(database: Database) -> Database:
    """An empty store of each kind."""
    return database


def store(db: Database, candles: pd.DataFrame, timeframe: str, origin: str = "official") -> None:
    key = SeriesKey("kraken", BTC, timeframe, origin)
    write_candles(db, key, times_ms(candles), candles[list(COLUMNS)].to_numpy().T)


def market(symbol: str = BTC, *, simulated: bool = False) -> MarketData:
    """Three daily bars made of the hours."""
    exchange = "demo" if simulated else "kraken"
    return MarketData(SeriesKey(exchange, symbol, "1d", "official"), DAYS, Instrument(symbol), simulated)


def read(db: Database, wish: Wish, *markets: MarketData) -> Markets:
    return read_inside(markets or [market()], wish, db)


# ---- finer candles --------------------------------------------------------------------------------------------------
def test_without_a_wish_nothing_is_read(db: Database) -> None:
    found = read(db, Wish())
    assert (found.inside.detail, found.inside.prints, found.inside.funding, found.notes) == ({}, {}, {}, ())


def test_stored_finer_candles_inside_the_bars_are_read(db: Database) -> None:
    store(db, simulate_candles(BTC, "1h", START - DAY, START + 4 * DAY), "1h")
    found = read(db, Wish(detail="1h"))
    assert times_ms(found.inside.detail[BTC]).tolist() == times_ms(HOURS).tolist()
    assert found.notes == ()


def test_finer_candles_are_made_of_still_finer_ones(db: Database) -> None:
    store(db, HOURS, "1h")
    assert len(read(db, Wish(detail="4h")).inside.detail[BTC]) == 18


def test_a_share_of_the_bars_that_finer_candles_miss_is_said(db: Database) -> None:
    store(db, HOURS.iloc[:48], "1h")
    assert read(db, Wish(detail="1h")).notes == (
        "finer candles of BTC/USD cover 66.7% of the bars; the others are walked as they are",
    )


def test_finer_candles_that_are_not_stored_are_an_error_with_the_command_that_brings_them(db: Database) -> None:
    with pytest.raises(
        FixData, match="no 1h candles of BTC/USD from kraken are stored along which its 1d bars"
    ) as error:
        read(db, Wish(detail="1h"))
    wanted = "algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1h --start 2024-01-01 --end 2024-01-03"
    assert error.value.hint == wanted
    store(db, simulate_candles(BTC, "1h", START - 9 * DAY, START - 8 * DAY), "1h")
    with pytest.raises(FixData) as error:
        read(db, Wish(detail="1h"))
    assert error.value.hint == wanted


def test_the_demo_market_has_finer_candles_of_its_own(db: Database) -> None:
    found = read(db, Wish(detail="1h"), market(simulated=True))
    assert len(found.inside.detail[BTC]) == 72
    assert found.notes == ()


# ---- trades ---------------------------------------------------------------------------------------------------------
def keep_trades(db: Database, timeframe: str = "1h") -> None:
    times = (times_ms(HOURS)[:, None] + np.array([0, 1, 2, 3]) * 60_000).ravel() * 1_000_000
    prices = HOURS[["open", "high", "low", "close"]].to_numpy().ravel()
    count = len(times)
    block = TradeBlock(
        times, np.zeros(count, np.int64), prices, np.ones(count), np.ones(count, np.int8), (None,) * count
    )
    key = SeriesKey("kraken", BTC, timeframe, "trades")
    columns = HOURS[list(COLUMNS)].to_numpy().T
    keep_page(db, key, PageRecord(None, "{}", times_ms(HOURS), columns, [(START, START + 3 * DAY)], [], block))


def test_kept_trades_inside_the_bars_are_read_whatever_candles_they_were_fetched_for(db: Database) -> None:
    keep_trades(db)
    (series,) = load_series([DataRequest(BTC, "1d", "kraken")], Wish(trades=True), db, default_settings())
    assert series.key == SeriesKey("kraken", BTC, "1d", "trades")
    found = read(db, Wish(trades=True), series)
    assert len(found.inside.prints[BTC].prices) == 4 * 72
    assert found.notes == ()


def test_trades_that_are_not_stored_are_an_error_with_the_command_that_brings_them(db: Database) -> None:
    fetch = "algotrade fetch --via trades --keep-trades --exchange kraken --symbol BTC/USD --timeframe 1d"
    with pytest.raises(FixData) as error:
        load_series([DataRequest(BTC, "1d")], Wish(trades=True), db, default_settings())
    assert error.value.hint == fetch
    with pytest.raises(FixData, match="no trades of BTC/USD from kraken are stored in that span") as error:
        read(db, Wish(trades=True))
    assert error.value.hint == f"{fetch} --start 2024-01-01 --end 2024-01-03"


# ---- funding --------------------------------------------------------------------------------------------------------
def test_the_stored_funding_of_a_perpetual_contract_is_read_unless_it_is_not_wanted(db: Database) -> None:
    times = START + np.arange(0, 3 * DAY, 8 * HOUR)
    put_funding(db, "kraken", PERPETUAL, times, np.full(9, 0.0001))
    found = read(db, Wish(), market(PERPETUAL))
    assert found.inside.funding[PERPETUAL].times.tolist() == times.tolist()
    assert found.notes == ()
    assert read(db, Wish(funding=False), market(PERPETUAL)).inside.funding == {}


def test_funding_that_is_not_stored_or_only_in_part_is_said(db: Database) -> None:
    (note,) = read(db, Wish(), market(PERPETUAL)).notes
    assert note.startswith(
        "no funding rates of BTC/USDT:USDT are stored, so none are charged; algotrade fetch --funding"
    )
    put_funding(db, "kraken", PERPETUAL, START + np.array([30, 38]) * HOUR, np.full(2, 0.0001))
    assert read(db, Wish(), market(PERPETUAL)).notes == (
        "the funding of BTC/USDT:USDT is stored from 2024-01-02T06:00:00Z on; before, none is charged",
    )


# ---- what cannot be -------------------------------------------------------------------------------------------------
def test_a_wish_that_makes_no_sense_is_refused() -> None:
    check_wish(Wish("1h"), "1d")
    check_wish(Wish(trades=True), "1d", "trades")
    for wish, origin in [
        (Wish("1d"), None),
        (Wish("7h"), None),
        (Wish("2d"), None),
        (Wish("1h", trades=True), None),
        (Wish(trades=True), "official"),
    ]:
        with pytest.raises(FixCommand):
            check_wish(wish, "1d", origin)
