"""Holes that an exchange leaves, through an unmodified ccxt: caught in their kinds, and repaired where they can be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from algotrade.errors import FixCommand
from algotrade.exchange.base import Exchange
from algotrade.exchange.opening import open_exchange
from algotrade.ingest.fetch import FetchRequest, fetch_candles
from algotrade.ingest.repair import repair_candles
from algotrade.ingest.report import FetchReport
from algotrade.ingest.stored_gaps import stored_gaps
from algotrade.market.candles import SeriesKey, content_hash, times_ms
from algotrade.market.gap_pieces import TypedGap
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_time
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.candles import read_candles
from algotrade.store.corrections import (
    close_outage,
    note_outage,
    open_quarantine,
    read_outages,
    read_quarantine,
)
from algotrade.store.database import Database, open_database
from tests.shell.loopback.kraken import Clock, LoopbackKraken

NOW = parse_time("2024-01-31T12:34:56")
MINUTE = 60_000
KEY = SeriesKey("kraken", "BTC/USD", "1m")
HURT = 300  # the row of the answer that is changed
Rows = list[list[Any]]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


@pytest.fixture
async def kraken() -> AsyncIterator[LoopbackKraken]:
    async with LoopbackKraken(Clock(NOW)) as server:
        yield server


@pytest.fixture
async def exchange(kraken: LoopbackKraken) -> AsyncIterator[Exchange]:
    opened = open_exchange("kraken", options=kraken.ccxt_options, clock=kraken.clock, timeout_s=5.0, attempts=1)
    async with opened as entered:
        yield entered


async def fetch(exchange: Exchange, db: Database, symbol: str = "BTC/USD", start: int | None = None) -> FetchReport:
    return await fetch_candles(exchange, db, FetchRequest(symbol, "1m", start))


def record(kraken: LoopbackKraken, change: Callable[[Rows], Rows]) -> int:
    """Let the exchange give a changed answer from now on; returns the open time of the changed row."""
    answer = kraken.answer("OHLC", {"pair": "XBTUSD", "interval": "1", "since": "0"})
    name, rows = next((name, rows) for name, rows in answer["result"].items() if name != "last")
    hurt = rows[HURT][0] * 1000
    kraken.recorded["OHLC"] = {**answer, "result": {**answer["result"], name: change([list(row) for row in rows])}}
    return int(hurt)


def without(first: int, last: int) -> Callable[[Rows], Rows]:
    return lambda rows: rows[:first] + rows[last + 1 :]


def hurt(column: int, value: Callable[[Any], Any]) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[HURT][column] = value(rows[HURT][column])
        return rows

    return change


def scaled(by: float) -> Callable[[Any], Any]:
    return lambda text: f"{float(text) * by:.5f}"


def kinds(db: Database) -> list[tuple[int, str, str]]:
    return [(gap.bars, gap.kind, gap.evidence) for gap in stored_gaps(db, KEY).rows()]


# ---- eight faults ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (without(HURT, HURT), [(1, "no trades", "kraken has no bar there")]),
        (without(HURT, HURT + 9), [(10, "exchange down", "likely: 709 of 709 bars around it have trades")]),
        (hurt(4, lambda _: "NaN"), [(1, "quarantined", "a value is not a finite number")]),
        (hurt(4, lambda _: None), [(1, "quarantined", "a value is not a finite number")]),
        (hurt(2, scaled(1000)), [(1, "quarantined", "a price is 100 times off those around it")]),
        (hurt(0, lambda seconds: seconds + 10**8), [(1, "not downloaded", "nobody has asked for it")]),
        (lambda rows: rows[:400] + rows[390:], []),
        (lambda rows: rows[::-1], []),
    ],
    ids=["gap", "outage", "nan", "null", "spike", "future", "duplicate", "reversed"],
)
async def test_every_fault_ends_in_its_kind_and_is_repaired(
    kraken: LoopbackKraken,
    exchange: Exchange,
    db: Database,
    fault: Callable[[Rows], Rows],
    expected: list[tuple[int, str, str]],
) -> None:
    record(kraken, fault)
    await fetch(exchange, db)

    assert kinds(db) == expected

    kraken.recorded.clear()
    report = await repair_candles(exchange, db, KEY)
    market = simulate_candles("BTC/USD", "1m", NOW - 720 * MINUTE, NOW - MINUTE)
    stored = read_candles(db, KEY)
    lost = {time for gap in stored_gaps(db, KEY).rows() for time in range(gap.start, gap.end + 1, MINUTE)}
    assert report.complete
    assert report.error is None
    assert set(times_ms(stored)) | lost >= set(times_ms(market.tail(700)))
    assert stored.equals(market.loc[stored.index])
    assert {gap.kind for gap in stored_gaps(db, KEY).rows()} <= {"no trades"}


async def test_a_candle_from_the_future_is_kept_apart(kraken: LoopbackKraken, exchange: Exchange, db: Database) -> None:
    record(kraken, hurt(0, lambda seconds: seconds + 10**8))

    await fetch(exchange, db)

    assert [row.reason for row in read_quarantine(db, KEY)] == ["it opens in the future"]


# ---- what a repair asks for ------------------------------------------------------------------------------------------
async def test_a_repair_asks_for_what_nobody_asked_for(
    kraken: LoopbackKraken, exchange: Exchange, db: Database
) -> None:
    market = simulate_candles("BTC/USD", "1m", NOW - 700 * MINUTE, NOW - MINUTE)
    early = market.head(50)
    first = times_ms(early)
    write_candles(db, KEY, first, early.to_numpy().T, Evidence(NOW, (), [(int(first[0]), int(first[-1]) + MINUTE)]))
    late = market.tail(50)
    write_candles(db, KEY, times_ms(late), late.to_numpy().T)
    before = stored_gaps(db, KEY).counts

    report = await repair_candles(exchange, db, KEY)

    assert before.keys() >= {"not downloaded"}
    assert (report.complete, stored_gaps(db, KEY).counts) == (True, {})
    assert content_hash(read_candles(db, KEY)) == content_hash(market)
    assert f"{sum(before.values())} of {sum(before.values())} missing bars came" in report.note


async def test_a_second_repair_has_nothing_to_do(kraken: LoopbackKraken, exchange: Exchange, db: Database) -> None:
    record(kraken, hurt(4, lambda _: None))
    await fetch(exchange, db)
    kraken.recorded.clear()
    await repair_candles(exchange, db, KEY)
    asked = kraken.requests["OHLC"]

    report = await repair_candles(exchange, db, KEY)

    assert (report.added, report.note, kraken.requests["OHLC"]) == (0, "nothing is missing", asked)


async def test_what_stays_nonsense_stays_in_quarantine(
    kraken: LoopbackKraken, exchange: Exchange, db: Database
) -> None:
    when = record(kraken, hurt(4, lambda _: None))
    await fetch(exchange, db)

    for _ in range(2):
        report = await repair_candles(exchange, db, KEY)

    assert not report.complete
    assert "0 of 1 missing bars came; left are 1 quarantined" in report.note
    assert open_quarantine(db, KEY) == {when: "a value is not a finite number"}
    assert len(read_quarantine(db, KEY)) == 1


async def test_a_price_that_comes_again_is_believed(kraken: LoopbackKraken, exchange: Exchange, db: Database) -> None:
    when = record(kraken, hurt(2, scaled(1000)))
    await fetch(exchange, db)

    report = await repair_candles(exchange, db, KEY)

    assert (report.complete, report.added) == (True, 1)
    assert [row.open for row in read_quarantine(db, KEY)] == [False]
    assert int(times_ms(read_candles(db, KEY, start=when, end=when))[0]) == when


async def test_imported_candles_cannot_be_asked_for_again(exchange: Exchange, db: Database) -> None:
    with pytest.raises(FixCommand, match="of origin import is not what kraken gives"):
        await repair_candles(exchange, db, KEY._replace(origin="import"))


# ---- outages ---------------------------------------------------------------------------------------------------------
async def test_an_exchange_that_says_it_is_down_is_written_down(
    kraken: LoopbackKraken, exchange: Exchange, db: Database
) -> None:
    kraken.fail("maintenance", "OHLC")
    await fetch(exchange, db)
    kraken.clock.set(NOW + 5 * MINUTE, 0)
    await fetch(exchange, db)
    during = read_outages(db, "kraken")
    kraken.heal()
    kraken.clock.set(NOW + 10 * MINUTE, 0)
    await fetch(exchange, db)

    (outage,) = read_outages(db, "kraken")
    assert [(each.start // 1000, each.end) for each in during] == [(NOW // 1000, None)]
    assert (outage.start // 1000, outage.end // 1000) == (NOW // 1000, (NOW + 10 * MINUTE) // 1000)
    assert "is under maintenance" in outage.evidence
    assert "cancel_only" in outage.evidence


def test_outages_of_two_exchanges_do_not_mix(db: Database) -> None:
    note_outage(db, "kraken", 1_000, "down")
    note_outage(db, "bitfinex", 2_000, "down, too")
    close_outage(db, "kraken", 3_000)
    close_outage(db, "kraken", 9_000)

    assert read_outages(db, "kraken") == [(1_000, 3_000, "down")]
    assert read_outages(db, "bitfinex") == [(2_000, None, "down, too")]


# ---- neighbours ------------------------------------------------------------------------------------------------------
async def test_another_stored_market_tells_an_outage_from_a_pause(
    kraken: LoopbackKraken, exchange: Exchange, db: Database
) -> None:
    await fetch(exchange, db, "ETH/USD")
    record(kraken, without(HURT, HURT + 9))
    await fetch(exchange, db)

    assert kinds(db) == [(10, "no trades", "there are bars of ETH/USD: the exchange was up")]


def test_two_markets_that_stand_still_together_are_an_outage(db: Database) -> None:
    start = NOW // MINUTE * MINUTE
    for symbol in ("BTC/USD", "ETH/USD"):
        bars = simulate_candles(symbol, "1m", start, start + 1_999 * MINUTE)
        kept = bars[(bars.index < bars.index[1_000]) | (bars.index >= bars.index[1_002])]
        times = times_ms(kept)
        spans = [(int(times[0]), int(times[-1]) + MINUTE)]
        write_candles(db, KEY._replace(symbol=symbol), times, kept.to_numpy().T, Evidence(NOW, (), spans))

    first, last = start + 1_000 * MINUTE, start + 1_001 * MINUTE
    assert stored_gaps(db, KEY).rows() == [
        TypedGap(first, last, 2, "exchange down", "there is no bar of ETH/USD either")
    ]
