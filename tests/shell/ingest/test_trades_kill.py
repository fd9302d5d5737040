"""kill -9 while trades are downloaded, at moments of chance: what is left in the end is what one clean run leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from algotrade.exchange.base import TradePage
from algotrade.ingest.trade_proof import proof_of
from algotrade.ingest.trade_recheck import recheck_trades
from algotrade.store.database import open_database
from algotrade.store.trades import read_days
from tests.shell.ingest.stored_trades import KEY, everything, fetch
from tests.shell.ingest.traded_exchange import DAY, MIDNIGHT, TradedExchange, steady

KILLS = 50
DAYS = 3
ROOT = Path(__file__).parents[3]


def serve() -> None:
    """For each path of a store on stdin, download into it in a child that need not import anything."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            with open_database(line.strip()) as database:
                os._exit(0 if fetch(telling_exchange(), database, MIDNIGHT).complete else 1)
        say(f"child {child}")
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def exchange() -> TradedExchange:
    return TradedExchange(steady(DAYS * 1440, 60), MIDNIGHT + DAYS * DAY, pages=(10,))


def telling_exchange() -> TradedExchange:
    """It says when it is asked for the first time."""
    telling = exchange()

    def tell(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        if len(telling.asked_trades) == 1:
            say("asked")
        return page

    telling.distort = tell
    return telling


@contextmanager
def server() -> Iterator[tuple[IO[str], IO[str]]]:
    code = f"from {__name__} import serve; serve()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    yield process.stdin, process.stdout
    process.stdin.close()
    process.wait()


def download(streams: tuple[IO[str], IO[str]], store: Path, kill_after_s: float | None) -> int:
    """Download in a child, and kill it so long after its first question; its exit code."""
    questions, answers = streams
    questions.write(f"{store}\n")
    questions.flush()
    child = 0
    for line in answers:
        word, _, value = line.strip().partition(" ")
        if word == "ended":
            return int(value)
        child = int(value) if word == "child" else child
        if word == "asked" and kill_after_s is not None:
            time.sleep(kill_after_s)
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(child, signal.SIGKILL)
    raise AssertionError("the server is gone")


def trades_stored(store: Path) -> int:
    with open_database(store) as database:
        return sum(day.trades for day in read_days(database, KEY))


@pytest.mark.slow
def test_killed_fifty_times_it_ends_in_the_bytes_of_one_clean_run(tmp_path: Path) -> None:
    chance = random.Random(20261120)
    stores, codes, stages = [tmp_path / "killed-0.sqlite"], list[int](), list[int]()
    with server() as streams:
        while codes.count(-signal.SIGKILL) < KILLS:
            codes.append(download(streams, stores[-1], chance.uniform(0, 0.15)))
            stages.append(trades_stored(stores[-1]))
            if codes[-1] == 0:  # this download is done, the next kills meet another
                stores.append(tmp_path / f"killed-{len(stores)}.sqlite")
        codes.append(download(streams, stores[-1], None))
    assert set(codes) == {0, -signal.SIGKILL}
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
