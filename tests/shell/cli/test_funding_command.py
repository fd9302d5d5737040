"""`algotrade fetch --funding`, and what `list data`, `data verify` and `data drop` do with what it brings."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from algotrade.cli.fetch_asked import Asked, check_asked
from algotrade.config import load_settings
from algotrade.errors import FixCommand
from algotrade.ingest.many import lock_path
from algotrade.market.candles import SeriesKey
from algotrade.store.database import open_database
from algotrade.store.files import hold_lock
from tests.shell.cli.conftest import ROOT, Command
from tests.shell.loopback.perpetual import LoopbackPerpetual

SYMBOL = "BTC/USDT:USDT"
FETCH = ("fetch", "--funding", "--exchange", "binance", "--symbol", SYMBOL)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
TEXT = "timestamp,funding_rate\n2024-01-01 00:00:00.017+00:00,0.0001\n2024-01-01 08:00:00.007+00:00,-0.0002\n"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a Binance whose clock stands still."""
    command = [sys.executable, "-m", "tests.shell.loopback.perpetual", "--print-port"]
    command += ["--now", "2024-01-31T12:34:56+00:00", "--speed", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


@pytest.fixture
def binance(server: str, place: Path) -> str:
    """The same, sound, and known to the project."""
    steer(server, {"fault": None})
    apis = "".join(f'urls.api.{api} = "{server}{path}"\n' for api, path in LoopbackPerpetual.apis.items())
    (place / "algotrade.toml").write_text(f"[exchange.binance.ccxt]\nenableRateLimit = false\n{apis}")
    return server


def steer(server: str, orders: dict[str, Any]) -> None:
    request = urllib.request.Request(f"{server}/control", json.dumps(orders).encode(), method="POST")
    urllib.request.urlopen(request).close()


def fail(server: str, fault: str) -> None:
    steer(server, {"fault": {"name": fault, "method": "fundingRate", "times": None}})


def asked(server: str) -> int:
    """How often the server was asked for funding."""
    with urllib.request.urlopen(f"{server}/control") as answer:
        return int(json.load(answer)["requests"].get("fundingRate", 0))


# ---- from an exchange -----------------------------------------------------------------------------------------------
def test_funding_is_fetched_listed_and_gone_on_with(algotrade: Command, binance: str) -> None:
    first = algotrade(*FETCH, "--start", "2024-01-01")
    assert (first.code, first.err.splitlines()[-1].partition(" ")[2]) == (
        0, "INFO fetch binance BTC/USDT:USDT funding +92 rates, complete to 2024-01-31T08:00:00.012Z"
    )  # fmt: skip
    assert [line.split() for line in first.out.splitlines() if "BTC" in line] == [
        ["binance", SYMBOL, "92", "2024-01-01", "2024-01-31", "08:00", "0"]
    ]
    again = algotrade(*FETCH, "--json")
    assert again.document["funding"] == [
        {
            "exchange": "binance",
            "symbol": SYMBOL,
            "added": 0,
            "unchanged": 21,
            "revised": 0,
            "first": "2024-01-01T00:00:00.019Z",
            "last": "2024-01-31T08:00:00.012Z",
            "gaps": 0,
            "complete": True,
            "note": "",
            "error": None,
        }
    ]
    listed = algotrade("list", "data", "--json").document
    assert (listed["data"], [row["rates"] for row in listed["funding"]]) == ([], [92])


def test_several_are_fetched_and_one_that_fails_does_not_lose_the_others(algotrade: Command, binance: str) -> None:
    run = algotrade(*FETCH, "--symbol", "NO/SUCH:SUCH", "--start", "2024-01-01", "--json")
    assert run.code == 2
    assert [(row["symbol"], row["added"], row["complete"], row["error"]) for row in run.document["funding"]] == [
        (SYMBOL, 92, True, None), ("NO/SUCH:SUCH", 0, False, "usage")
    ]  # fmt: skip
    text = algotrade(*FETCH, "--symbol", "NO/SUCH:SUCH")
    assert "error: 1 of 2 series not complete, first of all binance NO/SUCH:SUCH funding" in text.err
    assert text.err.count("has no symbol 'NO/SUCH:SUCH'") == 1


def test_an_exchange_that_is_not_there_is_said_of_each_of_its_markets(algotrade: Command) -> None:
    run = algotrade("fetch", "--funding", "--exchange", "binanz", "--symbol", SYMBOL)
    assert run.code == 2
    assert "error: ccxt knows no exchange 'binanz'. Did you mean 'binance'?" in run.err


@pytest.mark.parametrize(("fault", "code"), [("503", 69), ("html", 69), ("429", 75)])
def test_a_bad_answer_is_an_error_with_the_code_of_its_kind(
    algotrade: Command, binance: str, fault: str, code: int
) -> None:
    fail(binance, fault)
    run = algotrade(*FETCH, "--start", "2024-01-01")
    assert (run.code, run.out) == (code, "")
    assert run.hint
    assert algotrade(*FETCH, "--start", "2024-01-01", "--json").document["error"]["code"] == code


def test_a_market_without_any_is_incomplete(algotrade: Command, binance: str) -> None:
    run = algotrade(*FETCH, "--start", "2018-01-01", "--end", "2018-12-31")
    assert run.code == 4
    assert "binance gave no funding rates of BTC/USDT:USDT" in run.err


def test_another_fetch_of_it_is_waited_for(algotrade: Command, binance: str, place: Path) -> None:
    with open_database(place / ".algotrade" / "algotrade.db") as database:
        path = lock_path(database, SeriesKey("binance", SYMBOL, "funding"))
    with hold_lock(path, "a test"):
        run = algotrade(*FETCH)
    assert run.code == 75
    assert "a fetch of binance BTC/USDT:USDT funding is already running" in run.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_well(place: Path, binance: str, number: signal.Signals, code: int) -> None:
    fail(binance, "hang")
    before = asked(binance)
    command = [sys.executable, "-m", "algotrade", *FETCH, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        while asked(binance) == before:
            assert process.poll() is None
        process.send_signal(number)
        out, rest = process.communicate(timeout=30)
    assert process.returncode == code, rest
    assert json.loads(out)["funding"][0]["error"] == "interrupted"
    assert "the same command goes on from there" in rest


# ---- from a file ----------------------------------------------------------------------------------------------------
def test_a_file_is_imported_and_bad_rows_are_told(algotrade: Command, place: Path) -> None:
    Path("funding.csv").write_text(TEXT + "2024-01-01 16:00:00.000+00:00,1.5\n")
    refused = algotrade(*FETCH, "--from", "funding.csv")
    assert (refused.code, refused.out) == (4, "")
    assert "funding.csv: line 4: the rate is beyond 1, the whole notional; nothing was stored" in refused.err
    assert algotrade("list", "data", "--json").document["funding"] == []
    document = algotrade(*refused.hint.split()[1:], "--json").document
    assert document["skipped"] == [{"line": 4, "reason": "the rate is beyond 1, the whole notional"}]
    assert (document["funding"][0]["added"], document["funding"][0]["last"]) == (2, "2024-01-01T08:00:00.007Z")
    assert "Bad rows" in algotrade(*refused.hint.split()[1:]).out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--funding needs --symbol"),
        (["--symbol", "BTC/USDT"], "'BTC/USDT' is no perpetual contract"),
        (["--symbol", "\x1b[31m/X:X"], "is not a symbol"),
        (["--symbol", SYMBOL, "--timeframe", "1h"], "which are no candles: leave out --timeframe"),
        (["--symbol", SYMBOL, "--all-stored"], "leave out --all-stored"),
        (["--symbol", SYMBOL, "--repair"], "leave out --repair"),
        (["--symbol", SYMBOL, "--via", "trades"], "leave out --via"),
        (["--symbol", SYMBOL, "--start", "soon"], "'soon' is not a date or time"),
        (["--symbol", SYMBOL, "--skip-bad"], "are about a file: give --from FILE"),
        (["--symbol", SYMBOL, "--from", "funding.csv", "--start", "2024-01-01"], "a file is read whole"),
        (["--symbol", SYMBOL, "--from", "funding.csv", "--timeframe", "8h"], "leave out --timeframe"),
        (["--symbol", SYMBOL, "--from", "funding.csv", "--close-only"], "--close-only is about candles"),
        (["--symbol", SYMBOL, "--from", "funding.csv", "--columns", "rate"], "columns are given as FIELD=NAME"),
        (["--symbol", SYMBOL, "--symbol", "X/Y:Y", "--from", "funding.csv"], "a file is read whole, for one symbol"),
        (["--from", "funding.csv"], "--funding needs --symbol"),
        (["--symbol", SYMBOL, "--exchange", "demo"], "the demo exchange has no perpetual contracts"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_command_that_does(
    algotrade: Command, place: Path, flags: list[str], said: str
) -> None:
    Path("funding.csv").write_text(TEXT)
    run = algotrade("fetch", "--funding", *flags)
    assert (run.code, run.out) == (2, "")
    assert said in run.err
    assert run.hint.startswith("algotrade ")
    assert "\x1b" not in run.err


def test_a_schedule_judges_it_at_once(place: Path) -> None:
    settings = load_settings({})
    check_asked(settings, Asked(symbols=(SYMBOL,), funding=True))
    with pytest.raises(FixCommand, match="no perpetual contract"):
        check_asked(settings, Asked(symbols=("BTC/USDT",), funding=True))


# ---- what is stored -------------------------------------------------------------------------------------------------
@pytest.fixture
def stored(algotrade: Command, place: Path) -> Path:
    """A project with two rates each of two contracts; the path of its database."""
    Path("funding.csv").write_text(TEXT)
    for symbol in (SYMBOL, "XRP/USDT:USDT"):
        assert algotrade(*FETCH[:-1], symbol, "--from", "funding.csv").code == 0
    return place / ".algotrade" / "algotrade.db"


def test_the_list_shows_funding_below_the_candles_and_can_be_narrowed(algotrade: Command, stored: Path) -> None:
    algotrade("fetch", "--exchange", "demo", "--start", "2024-01-01", "--end", "2024-01-31")
    lines = [line.split() for line in algotrade("list", "data").out.splitlines() if line]
    assert lines[2][:2] == ["demo", "BTC/USD"]
    assert lines[3] == ["Funding"]
    assert lines[-2:] == [
        ["binance", SYMBOL, "2024-01-01", "2024-01-01", "08:00", "2"],
        ["binance", "XRP/USDT:USDT", "2024-01-01", "2024-01-01", "08:00", "2"],
    ]
    one = algotrade("list", "data", "--symbol", SYMBOL, "--json")
    assert [row["symbol"] for row in one.document["funding"]] == [SYMBOL]
    assert "is stored" not in one.err
    assert algotrade("list", "data", "--timeframe", "1d", "--json").document["funding"] == []


def test_funding_is_dropped_alone(algotrade: Command, stored: Path) -> None:
    several = algotrade("data", "drop", "--funding", "--yes")
    assert several.code == 4
    assert "the funding of several markets is stored, binance BTC/USDT:USDT, binance XRP/USDT:USDT" in several.err
    unasked = algotrade(*several.hint.split()[1:])
    assert unasked.code == 77
    assert "this would remove the funding of binance BTC/USDT:USDT: 2 rates; say --yes to do it" in unasked.err
    done = algotrade(*unasked.hint.split()[1:], "--json")
    assert done.document["removed"] == 2
    assert done.document["again"].endswith(f"--symbol {SYMBOL} --start 2024-01-01")
    assert [row["symbol"] for row in algotrade("list", "data", "--json").document["funding"]] == ["XRP/USDT:USDT"]


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--symbol", "BTC/USD:USDT"], 4, "are stored. Did you mean 'BTC/USDT:USDT'?"),
        (["--exchange", "okx"], 4, "no funding rates of okx are stored"),
        (["--timeframe", "1h"], 2, "funding rates have no timeframe and no origin"),
    ],
)
def test_funding_that_is_not_there_is_not_dropped(
    algotrade: Command, stored: Path, flags: list[str], code: int, said: str
) -> None:
    run = algotrade("data", "drop", "--funding", *flags, "--yes")
    assert run.code == code
    assert said in run.err
    assert algotrade(*run.hint.split()[1:]).code == 0


def test_a_check_of_all_that_is_stored_finds_a_broken_rate(algotrade: Command, stored: Path) -> None:
    assert algotrade("data", "verify").code == 0
    with sqlite3.connect(stored) as connection:
        connection.execute("UPDATE funding SET rate = 3 WHERE symbol = ? AND rate > 0", [SYMBOL])
    connection.close()
    run = algotrade("data", "verify")
    assert run.code == 5
    assert "funding of binance BTC/USDT:USDT, 2024-01-01T00:00:00.017Z: the rate is beyond 1" in run.err + run.out
