"""kill -9 while trades are downloaded, at moments of chance: what is left in the end is what one clean run leaves."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from algotrade.exchange.base import TradePage
from algotrade.ingest.trades.proof import proof_of
from algotrade.ingest.trades.recheck import recheck_trades
from algotrade.store.database import open_database
from algotrade.store.trades import read_days
from tests.shell.ingest.killing import begin, killer, serve
from tests.shell.ingest.stored_trades import KEY, everything, fetch
from tests.shell.ingest.traded_exchange import DAY, MIDNIGHT, TradedExchange, steady

KILLS = 50
DAYS = 3


def main() -> None:
    serve(work)


def work(store: str) -> int:
    with open_database(store) as database:
        return 0 if fetch(telling_exchange(), database, MIDNIGHT).complete else 1


def exchange() -> TradedExchange:
    return TradedExchange(steady(DAYS * 1440, 60), MIDNIGHT + DAYS * DAY, pages=(10,))


def telling_exchange() -> TradedExchange:
    """It says when it is asked for the first time."""
    telling = exchange()

    def tell(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        if len(telling.asked_trades) == 1:
            begin()
        return page

    telling.distort = tell
    return telling


def trades_stored(store: Path) -> int:
    with open_database(store) as database:
        return sum(day.trades for day in read_days(database, KEY))


@pytest.mark.slow
def test_killed_fifty_times_it_ends_in_the_bytes_of_one_clean_run(tmp_path: Path) -> None:
    chance = random.Random(20261120)
    stores, codes, stages = [tmp_path / "killed-0.sqlite"], list[int](), list[int]()
    with killer(__name__) as children:
        while codes.count(-signal.SIGKILL) < KILLS:
            codes.append(children.run(str(stores[-1]), chance.uniform(0, 0.15)))
            assert codes[-1] in (0, -signal.SIGKILL)
            stages.append(trades_stored(stores[-1]))
            if codes[-1] == 0:  # this download is done, the next kills meet another
                stores.append(tmp_path / f"killed-{len(stores)}.sqlite")
        codes.append(children.run(str(stores[-1]), None))
    assert codes[-1] == 0
    assert len(set(stages)) > KILLS / 2  # the kills met downloads under way
    with open_database(tmp_path / "clean.sqlite") as clean:
        assert fetch(exchange(), clean, MIDNIGHT).complete
        expected = everything(clean)
    for store in stores:
        with open_database(store) as database:
            assert everything(database) == expected
            proof = proof_of(database, KEY)
            assert proof is not None
            assert proof.unbroken
            assert recheck_trades(database, KEY).problems == ()
