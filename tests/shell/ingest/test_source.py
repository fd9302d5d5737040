"""Where a run's candles come from: the store, else the exchange, else the demo market."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from algotrade.config import Settings, default_settings
from algotrade.config.values import Values
from algotrade.errors import AlgotradeError, CheckConnection, ExitCode, FixCommand, FixData
from algotrade.ingest.on_demand import run_to_end
from algotrade.ingest.source import DataRequest, MarketData, choose_series, load_candles, reload_candles
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_span, parse_time
from algotrade.store.arrivals import write_candles
from algotrade.store.candles import SeriesSpan, list_series
from algotrade.store.database import Database
from algotrade.store.markets import write_instrument
from tests.shell.loopback.kraken import Clock, LoopbackKraken

DAY = 86_400_000
NOW = parse_time("2024-01-31T12:34:56")
NOWHERE = {"urls": {"api": {"public": "http://127.0.0.1:9"}}, "enableRateLimit": False, "timeout": 2000}
BTC = DataRequest("BTC/USD", "1d")


@pytest.fixture
def db(database: Database) -> Database:
    """An empty store of each kind."""
    return database


@pytest.fixture
async def kraken() -> AsyncIterator[LoopbackKraken]:
    async with LoopbackKraken(Clock(NOW)) as server:
        yield server


def settings_with(options: dict[str, Any]) -> Settings:
    """Settings that send kraken's requests to an address of this machine; port 9 answers nobody."""
    return Settings(Values.model_validate({"exchange": {"kraken": {"ccxt": options}}}), {}, None, None)


OFFLINE = settings_with(NOWHERE)


def store(db: Database, *key: str, start: str = "2024-01-01", bars: int = 10) -> SeriesKey:
    """Store simulated candles as if they were of that series."""
    series, first = SeriesKey(*key), parse_time(start)
    candles = simulate_candles("BTC/USD", "1d", first, first + (bars - 1) * DAY)
    write_candles(db, series, times_ms(candles), candles[list(COLUMNS)].to_numpy().T)
    return series


async def load(db: Database, kraken: LoopbackKraken, request: DataRequest) -> MarketData:
    return await asyncio.to_thread(load_candles, request, db, settings_with(kraken.ccxt_options))


async def test_what_is_stored_is_read_without_a_request(db: Database, kraken: LoopbackKraken) -> None:
    key = store(db, "kraken", "BTC/USD", "1d")
    market = await load(db, kraken, BTC)
    assert (market.key, len(market.candles), market.simulated, market.notes) == (key, 10, False, ())
    assert kraken.queries == []


async def test_nothing_stored_is_fetched_stored_and_read_without_a_request_the_next_time(
    db: Database, kraken: LoopbackKraken
) -> None:
    request = BTC._replace(span=parse_span("2024-01-01", "2024-01-20"))
    market = await load(db, kraken, request)
    assert (market.key, market.simulated) == (SeriesKey("kraken", "BTC/USD", "1d"), False)
    assert market.candles.equals(simulate_candles("BTC/USD", "1d", *parse_span("2024-01-01", "2024-01-20")))
    assert market.instrument.taker_fee is not None
    asked = len(kraken.queries)
    again = await load(db, kraken, request)
    assert again.candles.equals(market.candles)
    assert len(kraken.queries) == asked


async def test_a_fetch_says_what_a_person_should_know_of_it(db: Database, kraken: LoopbackKraken) -> None:
    market = await load(db, kraken, BTC._replace(span=parse_span("2015-01-01", None)))
    assert "kraken answered with its newest 720 1d candles" in market.notes[0]
    assert market.notes[1].startswith("the stored candles begin at 2022-02-")
    assert "after the start asked for (2015-01-01T00:00:00Z)" in market.notes[1]


async def test_a_symbol_that_the_exchange_does_not_have_is_no_reason_to_simulate(
    db: Database, kraken: LoopbackKraken
) -> None:
    with pytest.raises(FixCommand, match=r"BTC/UDS.* Did you mean 'BTC/USD'"):
        await load(db, kraken, DataRequest("BTC/UDS", "1d"))


async def test_a_span_before_the_market_began_is_missing_data(db: Database, kraken: LoopbackKraken) -> None:
    with pytest.raises(FixData, match="no candles of BTC/USD 1d are stored from kraken in that span"):
        await load(db, kraken, BTC._replace(span=parse_span("2010-01-01", "2010-02-01")))


@pytest.mark.parametrize("timeframe", ["1d", "1h"])
def test_with_nothing_stored_and_no_exchange_in_reach_the_market_is_simulated(db: Database, timeframe: str) -> None:
    market = load_candles(BTC._replace(timeframe=timeframe), db, OFFLINE)
    assert (market.key.exchange, market.key.origin, market.simulated) == ("demo", "demo", True)
    assert "Cannot reach kraken" in market.notes[0]
    assert market.notes[0].endswith("and nothing is stored: running on SIMULATED candles of the demo exchange")
    assert list_series(db) == []


def test_candles_of_the_demo_exchange_do_not_count_as_stored(db: Database) -> None:
    store(db, "demo", "BTC/USD", "1d", "demo")
    market = load_candles(BTC, db, OFFLINE)
    assert (len(market.candles), market.simulated) == (2557, True)


@pytest.mark.parametrize(
    ("request_", "stored", "kind"),
    [
        (BTC._replace(exchange="kraken"), False, CheckConnection),
        (BTC._replace(exchange="kraken"), True, CheckConnection),
        (DataRequest("DOGE/EUR", "1d"), False, CheckConnection),
        (BTC, True, FixData),
    ],
    ids=["named exchange", "named exchange, others stored", "symbol not simulated", "others stored"],
)
def test_nothing_else_falls_back(db: Database, request_: DataRequest, stored: bool, kind: type[AlgotradeError]) -> None:
    if stored:
        store(db, "binance", "ETH/USD", "1h")
    with pytest.raises(kind, match=r"(?i)cannot reach kraken") as caught:
        load_candles(request_, db, OFFLINE)
    assert caught.value.exit_code in (ExitCode.UNREACHABLE, ExitCode.DATA)
    if kind is FixData:
        assert caught.value.message.endswith("stored are ETH/USD 1h from binance (official)")


def test_the_demo_market_is_used_where_it_is_named(db: Database) -> None:
    market = load_candles(BTC._replace(exchange="demo"), db, default_settings())
    times = times_ms(market.candles)
    assert (times[0], times[-1]) == (parse_time("2018-01-01"), parse_time("2024-12-31"))
    assert (market.simulated, market.notes) == (True, ())
    assert market.instrument.symbol == "BTC/USD"


def test_short_bars_of_the_demo_market_are_its_newest(db: Database) -> None:
    market = load_candles(DataRequest("BTC/USD", "1m", "demo"), db, default_settings())
    assert len(market.candles) == 20_000
    assert times_ms(market.candles)[-1] == parse_time("2024-12-31T23:59")


def test_a_span_after_the_demo_markets_own_is_missing_data(db: Database) -> None:
    with pytest.raises(FixData, match="no 1d candle from 2025-06-01T00:00:00Z to 2024-12-31"):
        load_candles(DataRequest("BTC/USD", "1d", "demo", parse_span("2025-06-01", None)), db, default_settings())


def test_a_timeframe_that_is_none_is_refused_first(db: Database) -> None:
    with pytest.raises(FixCommand, match="not a timeframe"):
        load_candles(DataRequest("BTC/USD", "1x"), db, OFFLINE)


def test_a_span_without_a_stored_bar_is_missing_data(db: Database) -> None:
    store(db, "kraken", "BTC/USD", "1d")
    with pytest.raises(FixData, match="no candles of BTC/USD 1d are stored from kraken in that span"):
        load_candles(BTC._replace(span=parse_span("2023-01-01", "2023-02-01")), db, OFFLINE)


@pytest.mark.parametrize(
    ("start", "end", "notes"),
    [
        ("2024-01-01", "2024-01-10", []),
        ("2023-12-31T00:00:01", "2024-01-10T23:59", []),
        ("2023-12-31", None, ["begin at 2024-01-01T00:00:00Z, after the start asked for (2023-12-31T00:00:00Z)"]),
        (None, "2024-01-11T00:00", ["end at 2024-01-10T00:00:00Z, before the end asked for (2024-01-11T00:00:00Z)"]),
        (None, None, []),
    ],
)
def test_candles_that_do_not_fill_the_asked_span_are_told_of(
    db: Database, start: str | None, end: str | None, notes: list[str]
) -> None:
    store(db, "kraken", "BTC/USD", "1d")
    market = load_candles(BTC._replace(span=parse_span(start, end)), db, OFFLINE)
    assert [note.removeprefix("the stored candles ") for note in market.notes] == notes


def test_an_instrument_is_read_from_its_own_exchange(db: Database) -> None:
    store(db, "kraken", "BTC/USD", "1d")
    write_instrument(db, "binance", Instrument("BTC/USD", taker_fee=0.001), NOW)
    assert load_candles(BTC, db, OFFLINE).instrument == Instrument("BTC/USD")
    write_instrument(db, "kraken", Instrument("BTC/USD", taker_fee=0.0026), NOW)
    assert load_candles(BTC, db, OFFLINE).instrument.taker_fee == 0.0026


CHOICES = [
    # named exchange, stored series, the chosen one
    (None, ["kraken official"], "kraken official"),
    (None, ["binance official", "kraken import"], "kraken import"),
    ("binance", ["binance official", "kraken import"], "binance official"),
    (None, ["binance official"], "binance official"),
    (None, ["kraken trades", "kraken import", "kraken official"], "kraken official"),
    (None, ["kraken trades", "kraken import"], "kraken import"),
    (None, ["kraken ticker", "kraken trades"], "kraken trades"),
    (None, ["kraken ticker"], "kraken ticker"),
    (None, ["demo demo"], None),
    ("demo", ["demo demo"], "demo demo"),
    (None, ["demo demo", "binance official"], "binance official"),
    ("kraken", ["binance official"], None),
    (None, [], None),
]


@pytest.mark.parametrize(("named", "stored", "chosen"), CHOICES)
def test_one_series_is_chosen(named: str | None, stored: list[str], chosen: str | None) -> None:
    keys = [SeriesKey(*(name.split()[0], "BTC/USD", "1d", name.split()[1])) for name in stored]
    others = [SeriesKey("kraken", "ETH/USD", "1d"), SeriesKey("kraken", "BTC/USD", "1h")]
    key = choose_series(BTC._replace(exchange=named), [SeriesSpan(key, 0, 1) for key in (*others, *keys)])
    assert (None if key is None else f"{key.exchange} {key.origin}") == chosen


def test_several_exchanges_are_listed_and_none_is_guessed() -> None:
    stored = [SeriesSpan(SeriesKey(name, "BTC/USD", "1d"), 0, 1) for name in ("coinbase", "binance")]
    with pytest.raises(FixData, match="stored from binance, coinbase; say which") as caught:
        choose_series(BTC, stored)
    assert caught.value.hint == "algotrade backtest --symbol BTC/USD --exchange binance"


@pytest.mark.parametrize(
    ("start", "end", "origin"),
    [
        (None, None, "official"),
        ("2024-02-03", None, "official"),
        ("2024-02-03", "2024-02-05", "official"),
        ("2024-01-02", "2024-02-05", "import"),
        ("2024-01-02", None, "import"),
        (None, "2024-01-20", "import"),
        ("2023-01-01", None, "import"),
        ("2025-01-01", None, "official"),
        (None, "2030-01-01", "official"),
    ],
)
def test_a_file_that_goes_further_back_is_read_for_the_years_that_the_exchange_does_not_keep(
    db: Database, start: str | None, end: str | None, origin: str
) -> None:
    store(db, "kraken", "BTC/USD", "1d", "import", bars=50)
    store(db, "kraken", "BTC/USD", "1d", "official", start="2024-02-01", bars=30)
    chosen = choose_series(BTC._replace(span=parse_span(start, end)), list_series(db))
    assert chosen is not None
    assert chosen.origin == origin


def test_candles_are_read_again_from_their_very_series(db: Database) -> None:
    key = store(db, "kraken", "BTC/USD", "1d", "import")
    store(db, "kraken", "BTC/USD", "1d", "official", start="2020-01-01")
    again = reload_candles(BTC._replace(span=parse_span("2024-01-02", "2024-01-05")), key, db)
    assert len(again) == 4


def test_simulated_candles_are_made_again(db: Database) -> None:
    market = load_candles(BTC._replace(exchange="demo"), db, OFFLINE)
    again = reload_candles(BTC._replace(exchange="demo", span=parse_span("2018-01-01", "2024-12-31")), market.key, db)
    assert again.equals(market.candles)


async def test_a_fetch_can_be_waited_for_inside_a_running_loop() -> None:
    async def answer() -> int:
        return 42

    assert run_to_end(answer()) == 42


def test_an_origin_that_is_named_is_read_or_said_to_be_missing(db: Database) -> None:
    store(db, "kraken", "BTC/USD", "1d", "import", bars=3)
    store(db, "kraken", "BTC/USD", "1d", "ticker", bars=2)
    assert len(load_candles(BTC._replace(origin="ticker"), db, OFFLINE).candles) == 2
    assert len(load_candles(BTC, db, OFFLINE).candles) == 3
    with pytest.raises(FixData, match="of origin trades; stored are"):
        load_candles(BTC._replace(origin="trades"), db, OFFLINE)
    with pytest.raises(FixCommand, match=r"an origin is one of .*\. Did you mean 'ticker'"):
        load_candles(BTC._replace(origin="tickr"), db, OFFLINE)


def test_candles_built_from_tickers_are_read_last_and_said(db: Database) -> None:
    store(db, "demo", "BTC/USD", "1d", "ticker", bars=4)
    request = BTC._replace(exchange="demo")
    read = load_candles(request, db, OFFLINE)
    assert len(read.candles) == 4
    assert "built from polled prices" in read.notes[0]
    assert len(load_candles(request._replace(origin="demo"), db, OFFLINE).candles) > 2000
