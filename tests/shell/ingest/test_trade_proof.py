"""The proof says what is there, and notices what is not: in the chain, in the kept trades, beside official candles."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import Update, delete, update
from sqlalchemy.sql.dml import Delete

from algotrade.ingest.trades.proof import Comparison, Proof, official_key, proof_of
from algotrade.ingest.trades.recheck import recheck_trades
from algotrade.market.candles import COLUMNS, times_ms
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import Database
from algotrade.store.tables import candles, trade_days, trades
from algotrade.store.trades import read_trades
from tests.shell.ingest.stored_trades import KEY, fetch
from tests.shell.ingest.traded_exchange import DAY, MIDNIGHT, TradedExchange, numbered, steady, trade

MINUTE = 60_000


@pytest.fixture
def exchange() -> TradedExchange:
    return TradedExchange(steady(3 * 1440, 600), MIDNIGHT + 3 * DAY, pages=(100,))


def proof(database: Database) -> Proof:
    found = proof_of(database, KEY)
    assert found is not None
    return found


def change(database: Database, statement: Update | Delete) -> None:
    with database.writing() as connection:
        assert connection.execute(statement).rowcount == 1


def keep_official(database: Database, *, without: int = 0, wrong: int | None = None) -> None:
    """The exchange's own candles: as those made from trades, but for the first ones and one of another volume."""
    made = read_candles(database, KEY).iloc[without:]
    values = np.ascontiguousarray(made[list(COLUMNS)].to_numpy().T)
    if wrong is not None:
        values[4, wrong] = 99.0
    span = (MIDNIGHT, MIDNIGHT + 2 * DAY)
    write_candles(database, official_key(KEY), times_ms(made), values, Evidence(covered=[span]))


def test_it_counts_trades_and_pages_and_says_that_the_chain_is_unbroken(
    database: Database, exchange: TradedExchange
) -> None:
    fetch(exchange, database, MIDNIGHT, keep_trades=False)
    assert proof(database).unbroken
    assert proof(database).sentences() == [
        "432 trades in 5 pages, the chain of cursors is unbroken from 2024-01-01T00:00:00Z to 2024-01-03T23:50:00Z",
        "no official bars are stored to compare with",
    ]


def test_two_chains_are_told_apart_and_kept_trades_counted(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT + 2 * DAY)
    fetch(exchange, database, MIDNIGHT, MIDNIGHT + DAY // 4, keep_trades=False)
    first, second, _ = proof(database).sentences()
    assert first.startswith("100 trades in 1 page, the chain")
    assert second.startswith("144 trades in 2 pages (144 kept), the chain of cursors is unbroken from 2024-01-03T00")


def test_a_day_that_is_gone_breaks_the_chain(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT)
    change(database, delete(trade_days).where(trade_days.c.day == MIDNIGHT + DAY))
    assert not proof(database).unbroken
    assert "the chain of cursors is broken after 2024-01-01" in proof(database).sentences()[0]


def test_in_a_line_a_broken_chain_comes_before_whole_ones(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT + 2 * DAY)
    fetch(exchange, database, MIDNIGHT, MIDNIGHT + DAY // 4, keep_trades=False)
    assert "unbroken from 2024-01-01T" in proof(database).in_a_line()
    change(database, update(trade_days).where(trade_days.c.day == MIDNIGHT + 2 * DAY).values(last_cursor="lost"))
    assert proof(database).in_a_line() == (
        "144 trades in 2 pages (144 kept) from 2024-01-03T00:00:00Z to 2024-01-03T23:50:00Z; the chain of cursors is"
        " broken after 2024-01-03, and 1 other chain; no official bars are stored to compare with"
    )


def test_days_without_trades_do_not_break_it(database: Database) -> None:
    made = numbered([trade(5), trade(3 * 86_400), trade(3 * 86_400 + 1), trade(9 * 86_400)])
    fetch(TradedExchange(made, MIDNIGHT + 9 * DAY + 1, pages=(2,)), database, MIDNIGHT)
    assert proof(database).unbroken
    assert proof(database).chains[0].pages == 2


def test_candles_are_compared_with_the_official_ones_where_both_are_known(
    database: Database, exchange: TradedExchange
) -> None:
    fetch(exchange, database, MIDNIGHT)
    keep_official(database, without=5, wrong=7)
    found = proof(database).comparison
    assert found[:4] == (282, 1, 5, 0)
    assert found.compared == 283
    assert found.first_difference is not None
    assert found.first_difference.time == MIDNIGHT + 12 * 10 * MINUTE
    assert found.first_difference.official[4] == 99.0
    assert proof(database).sentences()[1:] == [
        "282 of 283 official bars are equal",
        "the first that differs is that of 2024-01-01T02:00:00Z: volume 0.1, official 99.0",
        "5 bars not among the official ones",
    ]


def test_an_official_bar_without_trades_is_counted(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT)
    keep_official(database)
    at = np.array([MIDNIGHT + MINUTE], np.int64)
    write_candles(database, official_key(KEY), at, np.ones((5, 1)))
    assert proof(database).comparison == Comparison(288, 0, 0, 1, None)
    assert proof(database).sentences()[-1] == "1 official bar without trades here"


def test_kept_trades_make_the_stored_candles_and_digests_again(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT)
    assert recheck_trades(database, KEY) == (3, 432, 431, ())


def test_days_without_kept_trades_are_passed_over_and_others_counted(
    database: Database, exchange: TradedExchange
) -> None:
    fetch(exchange, database, MIDNIGHT, MIDNIGHT + DAY, keep_trades=False)
    assert fetch(exchange, database).note == "trades that were fetched before without --keep-trades are not kept"
    assert recheck_trades(database, KEY) == (2, 232, 143, ())


def test_a_kept_trade_that_is_gone_is_noticed(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT)
    change(database, delete(trades).where(trades.c.trade_id == "200"))
    problems = recheck_trades(database, KEY).problems
    assert problems[0] == "1 candle(s) are not what their trades make, the first: 2024-01-02T09:10:00Z"
    assert problems[1] == "2024-01-02: 143 trades are stored, 144 were"


def test_a_kept_trade_that_is_changed_is_noticed(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT)
    change(database, update(trades).where(trades.c.trade_id == "200").values(side="sell"))
    assert recheck_trades(database, KEY).problems == (
        "2024-01-02: its trades are not those that arrived (the digest differs)",
    )


def test_a_trade_gone_from_a_day_that_is_kept_in_part_is_noticed(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT, MIDNIGHT + DAY, keep_trades=False)
    fetch(exchange, database)
    change(database, delete(trades).where(trades.c.trade_id == "201"))
    assert recheck_trades(database, KEY).problems == ("2024-01-02: 87 trades are stored, 88 were",)


def test_a_candle_that_is_changed_or_added_is_noticed(database: Database, exchange: TradedExchange) -> None:
    fetch(exchange, database, MIDNIGHT)
    change(database, update(candles).where(candles.c.time == MIDNIGHT + 10 * MINUTE).values(volume=7.0))
    write_candles(database, KEY, np.array([MIDNIGHT + MINUTE], np.int64), np.ones((5, 1)))
    (problem,) = recheck_trades(database, KEY).problems
    assert problem == "2 candle(s) are not what their trades make, the first: 2024-01-01T00:01:00Z"


def test_kept_trades_are_read_in_blocks_from_a_time_to_another(
    database: Database, exchange: TradedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(exchange, database, MIDNIGHT)
    monkeypatch.setattr("algotrade.store.trades.BLOCK_ROWS", 50)
    start, end = exchange.trades_made[10].time_ns, exchange.trades_made[200].time_ns
    blocks = list(read_trades(database, KEY, start_ns=start, end_ns=end))
    assert [len(block.ids) for block in blocks] == [50, 50, 50, 40]
    assert [each for block in blocks for each in block.ids] == [str(number) for number in range(11, 201)]
    assert blocks[0].sides.tolist() == [1] * 50


def test_nothing_is_proved_or_rechecked_of_what_was_never_downloaded(database: Database) -> None:
    assert proof_of(database, KEY) is None
    assert recheck_trades(database, KEY) == (0, 0, 0, ())
    assert list(read_trades(database, KEY)) == []
