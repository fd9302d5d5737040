"""`algotrade fetch` as typed and as configured: many series, sensible flags, one summary, one exit code, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from algotrade.cli.fetched import most_urgent, sentence
from algotrade.errors import AlgotradeError, CheckConnection, FixCommand, FixData, NotAllowed, TryLater
from algotrade.ingest.jobs import Job
from algotrade.ingest.many import lock_path
from algotrade.ingest.report import FetchReport
from algotrade.market.candles import RefusedCandle
from algotrade.market.span import Span, parse_time
from algotrade.store.database import open_database
from algotrade.store.files import hold_lock

Command = Callable[..., Any]
ROOT = Path(__file__).parents[3]
SPAN = ("--start", "2024-01-01", "--end", "2024-01-31")
DEMO = ("fetch", "--exchange", "demo", *SPAN)
ENTRIES = """\
[[fetch]]
exchange = "demo"
symbol = ["BTC/USD", "ETH/USD"]
timeframe = ["4h", "1d"]
start = 2024-01-01

[[fetch]]
exchange = "demo"
symbol = "SOL/USD"
"""


# ---- which series ---------------------------------------------------------------------------------------------------
def test_symbols_and_timeframes_and_exchanges_multiply(algotrade: Command) -> None:
    run = algotrade(
        *DEMO, "--symbol", "BTC/USD", "--symbol", "ETH/USD", "--timeframe", "4h", "--timeframe", "1d", "--json"
    )
    assert run.code == 0
    assert [(row["symbol"], row["timeframe"], row["added"]) for row in run.document["series"]] == [
        ("BTC/USD", "4h", 186), ("BTC/USD", "1d", 31), ("ETH/USD", "4h", 186), ("ETH/USD", "1d", 31)
    ]  # fmt: skip


def test_without_arguments_the_entries_of_the_configuration_are_fetched(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text(ENTRIES)
    series = algotrade("fetch", "--json").document["series"]
    assert [(row["symbol"], row["timeframe"]) for row in series] == [
        ("BTC/USD", "4h"), ("BTC/USD", "1d"), ("ETH/USD", "4h"), ("ETH/USD", "1d"), ("SOL/USD", "1d")
    ]  # fmt: skip
    assert [row["first"] for row in series[:4]] == ["2024-01-01T00:00:00Z"] * 4
    assert all(row["complete"] for row in series)


@pytest.mark.parametrize("typed", [("--exchange", "demo"), ("--symbol", "BTC/USD", "--exchange", "demo")])
def test_what_is_typed_goes_before_the_entries(algotrade: Command, place: Path, typed: tuple[str, ...]) -> None:
    (place / "algotrade.toml").write_text(ENTRIES)
    (row,) = algotrade("fetch", *typed, "--json").document["series"]
    assert (row["symbol"], row["timeframe"]) == ("BTC/USD", "1d")


def test_the_entries_are_shown_with_their_lines(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text(ENTRIES)
    rows = {row["setting"]: row for row in algotrade("config", "show", "--json").document["settings"]}
    assert (rows["fetch.1.symbol"]["value"], rows["fetch.1.symbol"]["origin"]) == (["SOL/USD"], "algotrade.toml:9")
    assert rows["fetch.0.start"]["origin"] == "algotrade.toml:5"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ('symbl = "BTC/USD"', "unknown key 'symbl' in [[fetch]] (algotrade.toml:5). Did you mean 'symbol'?"),
        ('symbol = "B/U"\nend = 2024-01-01', "unknown key 'end' in [[fetch]] (algotrade.toml:6)."),
        ('timeframe = "1h"', "'symbol' is missing in [[fetch]] (algotrade.toml:5)"),
        ("symbol = []", "symbol = [] in [[fetch]] (algotrade.toml:5): names nothing"),
        ("symbol = [1]", "symbol = 1 in [[fetch]] (algotrade.toml:5): must be a valid string"),
        ('symbol = "B/U"\ntimeframe = ["1h", "1x"]', "timeframe = '1x' in [[fetch]] (algotrade.toml:6): '1x' is not"),
        ('symbol = "B/U"\nstart = "soon"', "start = 'soon' in [[fetch]] (algotrade.toml:6): 'soon' is not a date"),
        ('symbol = "B/U"\nvia = "trade"', "via = 'trade' in [[fetch]] (algotrade.toml:6): must be 'candles' or 'trad"),
        ('symbol = "B/U"\nkeep_trades = true', 'fetch (algotrade.toml:5): keep_trades needs via = "trades"'),
        ('symbol = "B/U"\nkeep_trades = 1', "keep_trades = 1 in [[fetch]] (algotrade.toml:6): must be a valid boolean"),
        ('exchange = "krakn"\nsymbol = "B/U"', "[[fetch]] (algotrade.toml:5): there is no exchange 'krakn'. Did you m"),
        ('symbol = "B/U"\napi_key = "x"', "holds a secret (fetch.1.api_key)"),
    ],
)
def test_a_bad_entry_is_named_with_its_line(algotrade: Command, place: Path, lines: str, complaint: str) -> None:
    (place / "algotrade.toml").write_text(f'[[fetch]]\nsymbol = "A/B"\n\n[[fetch]]\n{lines}\n')
    run = algotrade("fetch")
    assert run.code in (3, 77)
    assert complaint in run.err


def test_one_pair_of_brackets_is_not_enough(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text('[fetch]\nsymbol = "A/B"\n')
    run = algotrade("fetch")
    assert (run.code, "must be written as [[fetch]], in double brackets" in run.err) == (3, True)


def test_all_stored_series_go_on(algotrade: Command) -> None:
    algotrade(*DEMO, "--symbol", "BTC/USD", "--symbol", "ETH/USD")
    run = algotrade("fetch", "--all-stored", "--json")
    assert run.code == 0
    assert [row["symbol"] for row in run.document["series"]] == ["BTC/USD", "ETH/USD"]
    assert all(row["added"] > 365 for row in run.document["series"])


def test_nothing_stored_is_nothing_to_go_on_with(algotrade: Command, place: Path) -> None:
    run = algotrade("fetch", "--all-stored")
    assert (run.code, run.hint) == (4, "algotrade fetch --symbol BTC/USD")
    assert "nothing is stored that an exchange could continue" in run.err
    (place / "prices.csv").write_text("Day,Last\n2024-01-01,10\n2024-01-02,11\n2024-01-03,12\n")
    file = ("--from", "prices.csv", "--columns", "time=Day,close=Last", "--close-only")
    assert algotrade("fetch", "--symbol", "A/B", *file).code == 0
    imported = algotrade("fetch", "--all-stored", "--exchange", "kraken")
    assert (imported.code, "of kraken" in imported.err, "another import" in imported.err) == (4, True, True)


# ---- flags that make no sense ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("--via trade", "--via is one of candles, trades, given 'trade'. Did you mean 'trades'?"),
        ("--keep-trades", "give --via trades, too"),
        ("--keep-trades --via candles", "give --via trades, too"),
        ("--all-stored --symbol BTC/USD", "goes on with each stored series as it is: leave out --symbol"),
        ("--all-stored --timeframe 1h --start 2024-01-01", "leave out --timeframe, --start"),
        ("--all-stored --end 2024-01-01", "leave out --end"),
        ("--all-stored --via trades", "leave out --via"),
        ("--repair --start 2024-01-01", "that are stored: leave out --start"),
        ("--repair --via trades", "that are stored: leave out --via"),
        ("--from x.csv --all-stored", "a file is read whole, as one series: leave out --all-stored"),
        ("--from x.csv --start 2024-01-01 --end 2024-01-02", "leave out --start, --end"),
        ("--from x.csv --via trades --keep-trades", "leave out --via, --keep-trades"),
        ("--from x.csv --repair", "leave out --repair"),
        ("--from x.csv --timeframe 1h --timeframe 1d", "for one timeframe, given 1h, 1d"),
        ("--from x.csv --exchange a --exchange b", "for one exchange, given a, b"),
        ("--columns time=Date", "about a file: give --from FILE"),
        ("--time-format %Y", "about a file: give --from FILE"),
        ("--timeframe 1h --timeframe 1x", "--timeframe 1x: '1x' is not a timeframe"),
        ("--start 2024-01-02 --end 2024-01-01", "ends (2024-01-01) before it starts"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(algotrade: Command, flags: str, complaint: str) -> None:
    run = algotrade("fetch", *flags.split())
    assert run.code == 2
    assert complaint in run.err
    assert run.hint.startswith("algotrade ")


@pytest.mark.parametrize(
    "command", ["fetch", "backtest", "data export --to x.csv", "live --cash 10000 --exchange demo"]
)
def test_a_mistyped_day_is_answered_with_the_command_itself(algotrade: Command, command: str) -> None:
    run = algotrade(*command.split(), "--start", "yesterday")
    assert run.code == 2
    assert run.hint.startswith("algotrade " + command.partition(" --")[0])


@pytest.mark.parametrize("via", ["candles", "trades"])
def test_a_start_in_the_future_is_refused(algotrade: Command, via: str) -> None:
    assert algotrade(*DEMO).code == 0
    run = algotrade("fetch", "--exchange", "demo", "--start", "2100-01-01", "--via", via)
    assert run.code == 2
    assert "the start 2100-01-01 is in the future: for demo it is 2" in run.err
    assert run.hint.startswith("algotrade fetch --exchange demo --symbol BTC/USD --timeframe 1d --start 2")


def test_the_help_groups_the_flags_and_says_the_exit_codes(algotrade: Command) -> None:
    run = algotrade("fetch", "-h")
    for words in ("Which series", "How", "From a file", "--all-stored", "Exit codes", "75 another run", "130 and 143:"):
        assert words in run.out


# ---- what is said ---------------------------------------------------------------------------------------------------
def test_a_log_has_one_whole_line_a_series(algotrade: Command) -> None:
    run = algotrade(*DEMO, "--symbol", "BTC/USD", "--symbol", "NO/SUCH")
    lines = sorted(line.split(" ", 1)[1] for line in run.err.splitlines() if " fetch " in line)
    assert lines == [
        "INFO fetch demo BTC/USD 1d +31 candles, complete to 2024-01-31T00:00:00Z",
        "WARNING fetch demo NO/SUCH 1d +0 candles, not complete (nothing stored):"
        " the demo exchange has no symbol 'NO/SUCH'.",
    ]


def test_many_series_end_in_a_summary(algotrade: Command) -> None:
    run = algotrade(*DEMO, "--symbol", "BTC/USD", "--symbol", "NO/SUCH", "--quiet")
    assert run.code == 2
    assert "1 of 2 series complete, 31 candles added" in run.out
    assert [line.split(" ")[0] for line in run.err.splitlines()] == ["error:", "try:"]
    assert "1 of 2 series not complete, first of all demo NO/SUCH 1d: the demo exchange has no symbol" in run.err


HOSTILE = ["\x1b]0;owned\x07/USD", "[red]BTC[/red]/USD", "../../etc/passwd", 'A"/USD', "B\n/USD", "ВТС/USD"]


def test_a_hostile_symbol_is_text_in_json_and_nothing_to_a_terminal(algotrade: Command) -> None:
    symbols = [word for symbol in [*HOSTILE, "BTC/USD"] for word in ("--symbol", symbol)]
    run = algotrade(*DEMO, *symbols, "--json")
    assert run.code == 2
    assert [row["symbol"] for row in json.loads(run.out)["series"]] == [*HOSTILE, "BTC/USD"]
    assert [row["error"] for row in run.document["series"]] == ["usage"] * len(HOSTILE) + [None]
    shown = algotrade(*DEMO, *symbols)
    for text in (shown.out, shown.err, run.err):
        assert not any(sign in text for sign in "\x1b\x07")


def test_a_series_that_another_run_holds_is_said_and_the_others_go_on(algotrade: Command, place: Path) -> None:
    job = Job("demo", "BTC/USD", "1d")
    with open_database(place / ".algotrade" / "algotrade.db") as database:
        lock = hold_lock(lock_path(database, job.key), "a fetch")
    with lock:
        run = algotrade(*DEMO, "--symbol", "BTC/USD", "--symbol", "ETH/USD", "--json")
        alone = algotrade(*DEMO)
    assert run.code == 75
    assert [(row["error"], row["added"]) for row in run.document["series"]] == [("busy", 0), (None, 31)]
    assert run.document["series"][0]["note"].startswith("a fetch of demo BTC/USD 1d is already running (pid ")
    assert (alone.code, alone.hint) == (75, f"algotrade {' '.join(DEMO)}")


def report(error: AlgotradeError | None, *, complete: bool = False) -> FetchReport:
    return FetchReport(Job("kraken", "A/B", "1m").key, 0, 0, 0, None, None, 0, complete, "short", error=error)


def test_the_exit_code_is_what_needs_a_person_first(algotrade: Command) -> None:
    order = [NotAllowed("a"), FixCommand("b"), FixData("c"), CheckConnection("d"), TryLater("e")]
    for number, expected in enumerate(order):
        errors = [report(error) for error in reversed(order[number:])] + [report(None, complete=True)]
        worst = most_urgent([Job("kraken", "A/B", "1m")] * len(errors), errors)
        assert type(worst) is type(expected)
    assert most_urgent([Job("kraken", "A/B", "1m")], [report(None, complete=True)]) is None
    assert isinstance(most_urgent([Job("kraken", "A/B", "1m")], [report(None)]), FixData)


def test_what_is_missing_is_answered_with_what_may_bring_it(algotrade: Command) -> None:
    job = Job("kraken", "A/B", "1m", Span(parse_time("2024-01-01")))
    short = report(None)._replace(note="keeps few; older ones can be made from trades: algotrade fetch --via trades")
    refused = report(None)._replace(refused=(RefusedCandle(0, "high below low"),))
    series = "algotrade fetch --exchange kraken --symbol A/B --timeframe 1m"
    hints = [
        most_urgent([job], [found]).hint for found in (short, refused, report(None)._replace(last=0), report(None))
    ]  # type: ignore[union-attr]
    assert hints == [
        f"{series} --start 2024-01-01T00:00:00Z --via trades",
        f"{series} --repair",
        "algotrade list data --gaps",
        "algotrade list exchanges",
    ]


def test_a_table_of_many_series_fits_eighty_columns_and_notes_stand_below(algotrade: Command) -> None:
    run = algotrade("fetch", "--exchange", "demo", "--symbol", "BTC/USD", "--symbol", "ETH/USD", "--symbol", "NO/SUCH")
    assert max(map(len, run.out.splitlines()[:5])) <= 80
    assert "demo BTC/USD 1d and 1 more: nothing was stored before" in run.out
    assert next(line for line in run.out.splitlines() if "NO/SUCH" in line).split()[-1] == "no"


@pytest.mark.parametrize("symbols", [("NO/SUCH",), ("BTC/USD", "NO/SUCH")])
@pytest.mark.parametrize("quiet", [False, True])
def test_a_failure_is_told_once_and_so_is_what_to_do(
    algotrade: Command, terminal: Callable[..., str], symbols: tuple[str, ...], quiet: bool
) -> None:
    words = [word for symbol in symbols for word in ("--symbol", symbol)] + (["--quiet"] if quiet else [])
    reason = "the demo exchange has no symbol 'NO/SUCH'"
    run = algotrade(*DEMO, *words)
    assert run.err.count(reason) == 1
    assert (reason in run.out) == (quiet and len(symbols) > 1)  # a log may be thrown away, and so may the table
    shown = terminal(*DEMO, *words)
    assert " ".join(shown.split()).count(reason) == 1 + (quiet and len(symbols) > 1)
    assert shown.count("try: ") == 1


def test_the_line_of_a_log_says_why(algotrade: Command) -> None:
    job = Job("kraken", "A/B", "1m")
    assert sentence(job, report(CheckConnection("Cannot reach kraken"))) == (
        "kraken A/B 1m +0 candles, not complete (nothing stored): Cannot reach kraken"
    )


# ---- signals --------------------------------------------------------------------------------------------------------
LONG = (
    "--exchange",
    "demo",
    "--timeframe",
    "1m",
    "--start",
    "2015-01-01",
    "--symbol",
    "BTC/USD",
    "--symbol",
    "ETH/USD",
)


@pytest.fixture
def running(place: Path) -> Iterator[subprocess.Popen[str]]:
    """A fetch of many years, some pages of which are stored already."""
    command = [sys.executable, "-m", "algotrade", "fetch", *LONG]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    locks = place / ".algotrade" / "locks"
    while started.poll() is None and not (locks.is_dir() and len(list(locks.iterdir())) == 2):
        time.sleep(0.05)
    time.sleep(0.5)
    yield started
    started.kill()
    started.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_all_that_came_stored_and_said(
    algotrade: Command, running: subprocess.Popen[str], number: signal.Signals, code: int
) -> None:
    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    assert running.returncode == code
    assert "interrupted: 2 of 2 series not complete" in err
    assert "Traceback" not in err
    assert "0 of 2 series complete" in out
    stored = algotrade("list", "data", "--json").document["data"]
    assert {row["symbol"] for row in stored} <= {"BTC/USD", "ETH/USD"}
    for row in stored:
        assert f"{row['candles']:,}" in out


def test_a_killed_fetch_leaves_no_lock(algotrade: Command, running: subprocess.Popen[str]) -> None:
    held = algotrade("fetch", "--exchange", "demo", "--timeframe", "1m", "--json")
    assert held.code == 75
    assert f"pid {running.pid}" in held.out
    running.kill()
    running.wait()
    run = algotrade("fetch", "--exchange", "demo", "--timeframe", "1m", "--start", "2024-01-01", "--end", "2024-01-02")
    assert run.code == 0, run.err
