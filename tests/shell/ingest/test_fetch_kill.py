"""kill -9 while the command fetches candles, at moments of chance: it ends in the bytes of one clean run.

The command is the real one, with an unmodified ccxt that asks an exchange on loopback.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from algotrade.market.candles import SeriesKey, content_hash
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_span
from algotrade.store.candles import read_candles, span
from algotrade.store.coverage import read_coverage
from algotrade.store.database import Database, open_database
from tests.shell.ingest.killing import ROOT, begin, killer, serve

KILLS = 50
KEY = SeriesKey("binance", "BTC/USD", "1m")
START, END = "2024-01-01", "2024-01-12"


def main() -> None:
    import ccxt.async_support  # noqa: F401 (the heaviest import of the children)

    import algotrade.ingest.many  # noqa: F401

    serve(work)


def work(folder: str) -> int:
    """The command in a folder, its words in a file there."""
    from algotrade.cli.main import main as algotrade
    from algotrade.exchange.ccxt_rest import CcxtExchange

    candles, told = CcxtExchange.candles, False

    async def telling(*arguments: Any, **named: Any) -> Any:
        nonlocal told
        if not told:
            told = True
            begin()
        return await candles(*arguments, **named)

    CcxtExchange.candles = telling  # type: ignore[method-assign]
    os.chdir(folder)
    words = os.open("words", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(words, 2)
    return algotrade(
        [
            "-q",
            "fetch",
            "--exchange",
            "binance",
            "--symbol",
            KEY.symbol,
            "--timeframe",
            "1m",
            "--start",
            START,
            "--end",
            END,
        ]
    )


@pytest.fixture
def binance() -> Iterator[dict[str, str]]:
    """Where the loopback Binance answers, as ccxt's options name it."""
    from tests.shell.loopback.binance import LoopbackBinance

    command = [
        sys.executable,
        "-m",
        "tests.shell.loopback.binance",
        "--print-port",
        "--now",
        "2024-01-31T12:00:00+00:00",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield {api: f"http://127.0.0.1:{port}{path}" for api, path in LoopbackBinance.apis.items()}
        server.kill()


def everything(database: Database) -> tuple[str, list[tuple[int, int]]]:
    """What one clean run and a hundred killed ones must agree on."""
    return content_hash(read_candles(database, KEY)), read_coverage(database, KEY)


def project(folder: Path, urls: dict[str, str]) -> Path:
    folder.mkdir()
    lines = ["[exchange.binance.ccxt]", "enableRateLimit = false", "[exchange.binance.ccxt.urls.api]"]
    (folder / "algotrade.toml").write_text(
        "\n".join([*lines, *(f"{key} = {json.dumps(url)}" for key, url in urls.items())])
    )
    return folder


def stored_bars(folder: Path) -> int:
    with open_database(folder / ".algotrade" / "algotrade.db") as database:
        stored = span(database, KEY)
        return stored.rows if stored else 0


@pytest.mark.slow
def test_killed_fifty_times_it_ends_complete_and_identical(tmp_path: Path, binance: dict[str, str]) -> None:
    chance = random.Random(20261120)
    folders, codes, stages = [project(tmp_path / "killed-0", binance)], list[int](), list[int]()
    with killer(__name__) as children:
        while codes.count(-signal.SIGKILL) < KILLS:
            codes.append(children.run(str(folders[-1]), chance.uniform(0, 0.4)))
            assert codes[-1] in (0, -signal.SIGKILL), (folders[-1] / "words").read_text()
            stages.append(stored_bars(folders[-1]))
            if codes[-1] == 0:  # this one is done, the next kills meet another
                folders.append(project(tmp_path / f"killed-{len(folders)}", binance))
        codes.append(children.run(str(folders[-1]), None))
        clean = project(tmp_path / "clean", binance)
        codes.append(children.run(str(clean), None))
    assert codes[-2:] == [0, 0]
    assert len(set(stages)) > KILLS / 4  # the kills met fetches under way
    with open_database(clean / ".algotrade" / "algotrade.db") as database:
        expected = everything(database)
    wanted = parse_span(START, END)
    assert wanted.start is not None
    assert wanted.end is not None
    assert expected[0] == content_hash(simulate_candles(KEY.symbol, "1m", wanted.start, wanted.end))
    for folder in folders:
        with open_database(folder / ".algotrade" / "algotrade.db") as database:
            assert everything(database) == expected
