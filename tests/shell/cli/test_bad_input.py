"""What a person may type wrongly: the message, the exit code, and a next command that can really be typed."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import algotrade
from algotrade.cli.commands import app
from algotrade.cli.failure import UsageError

TABLE: list[tuple[str, int, str]] = [
    # command, exit code, part of the message
    ("lst", 2, "there is no command 'algotrade lst'. Did you mean 'list'?"),
    ("list runz", 2, "there is no command 'algotrade list runz'. Did you mean 'runs'?"),
    ("fetch --symbl BTC/USD", 2, "'algotrade fetch' has no option '--symbl'. Did you mean '--symbol'?"),
    ("--symbol BTC/USD fetch", 2, "'algotrade' has no option '--symbol'"),
    ("fetch --symbol", 2, "option '--symbol' requires an argument"),
    ("fetch BTC/USD", 2, "unexpected extra argument"),
    ("new strategy", 2, "missing argument"),
    ("fetch --exchange krakn", 2, "no exchange 'krakn'. Did you mean 'kraken'?"),
    ("list markets --exchange krakn", 2, "no exchange 'krakn'. Did you mean 'kraken'?"),
    ("list timeframes --exchange krakn", 2, "no exchange 'krakn'. Did you mean 'kraken'?"),
    ("fetch --exchange demo --symbol BTC/UDS", 2, "no symbol 'BTC/UDS'. Did you mean 'BTC/USD'?"),
    ("fetch --exchange demo --symbol ../../etc/passwd", 2, "is not a symbol like BTC/USD"),
    ("fetch --exchange demo --symbol '[/red]'", 2, "is not a symbol like BTC/USD"),
    ("fetch --exchange demo --symbol '\x1b[31mBTC/USD'", 2, "is not a symbol like BTC/USD"),
    ("fetch --exchange demo --symbol ВТС/USD", 2, "is not a symbol like BTC/USD"),  # Cyrillic
    (f"fetch --exchange demo --symbol {'A' * 10_000}", 2, "is not a symbol like BTC/USD"),
    ("fetch --exchange demo --timeframe 1x", 2, "--timeframe 1x: '1x' is not a timeframe"),
    ("fetch --exchange demo --timeframe 7h", 2, "demo has no 7h candles"),
    ("fetch --exchange demo --start tomorrow", 2, "'tomorrow' is not a date or time"),
    ("fetch --exchange demo --start 2024-01-02 --end 2024-01-01", 2, "ends (2024-01-01) before it starts"),
    ("fetch --skip-bad", 2, "are about a file: give --from FILE"),
    ("fetch --from x.csv --symbol A/B --symbol C/D", 2, "a file is read whole, for one symbol"),
    ("fetch --from x.csv --columns time", 2, "columns are given as FIELD=NAME"),
    ("fetch --from missing.csv", 4, "missing.csv: there is no such file"),
    ("fetch --from empty.csv", 4, "empty.csv"),
    ("fetch --from bad.csv --exchange kraken --timeframe 1d", 4, "line 3"),
    ("backtest --strategy sma_crss", 2, "there is no strategy 'sma_crss'. Did you mean 'sma_cross'?"),
    ("backtest --strategy https://example.org/x.py", 77, "a strategy is code and is run from a local file only"),
    ("backtest --strategy ../../etc/passwd", 2, "there is no strategy file ../../etc/passwd"),
    ("backtest --strategy broken.py", 3, "broken.py line 2: invalid syntax: class Broken(:"),
    ("backtest -p fst=3", 2, "sma_cross has no parameter 'fst' (it has: fast, slow). Did you mean 'fast'?"),
    ("backtest -p fast=x", 2, "parameter fast must be a whole number, given 'x'"),
    ("backtest -p fast=1", 2, "parameter fast must lie between"),
    ("backtest -p fast", 2, "a parameter is given as name=value, given 'fast'"),
    ("backtest --timeframe 1x", 2, "--timeframe 1x: '1x' is not a timeframe"),
    ("backtest --exchange krakn", 2, "no exchange 'krakn'. Did you mean 'kraken'?"),
    ("backtest --cash -5", 2, "--cash -5.0: must be greater than 0"),
    ("backtest --cash much", 2, "invalid value for '--cash'"),
    ("backtest --fee 26", 2, "--fee 26.0: must be less than 1"),
    ("backtest --path wrst", 2, "--path is one of worst, best, given 'wrst'. Did you mean 'worst'?"),
    ("backtest --detail 1x", 2, "'1x' is not a timeframe"),
    ("backtest --detail 7h", 2, "--detail is a timeframe that divides the bars of 1d, given 7h"),
    ("backtest --detail 1d", 2, "--detail is a timeframe that divides the bars of 1d, given 1d"),
    ("backtest --detail 1w", 2, "--detail is a timeframe that divides the bars of 1d, given 1w"),
    ("backtest --detail 0h", 2, "'0h' is not a timeframe"),
    ("backtest --detail 1h --trades", 2, "--trades and --detail each say how the price moved"),
    ("backtest --trades --origin import", 2, "--trades runs over the candles that trades make, given --origin import"),
    ("backtest --exchange demo --trades", 4, "no candles of BTC/USD 1d are stored, of origin trades"),
    ("backtest --exchange demo --latency-ms 50", 2, "a latency of 50 ms lies inside a bar of 1d"),
    ("backtest --latency-ms -1", 2, "--latency-ms -1: must be greater than or equal to 0"),
    ("backtest --latency-bars 0.5", 2, "invalid value for '--latency-bars'"),
    ("backtest --maker-fee 26", 2, "--maker-fee 26.0: must be less than 1"),
    ("backtest --spread -1", 2, "--spread -1.0: must be greater than or equal to 0"),
    ("backtest --spread nan", 2, "--spread nan: must be"),
    ("backtest --impact inf", 2, "--impact inf: must be"),
    ("backtest --max-volume-share 2", 2, "--max-volume-share 2.0: must be less than or equal to 1"),
    ("backtest --borrow-rate -0.1", 2, "--borrow-rate -0.1: must be greater than or equal to 0"),
    ("backtest --maintenance-rate 1", 2, "--maintenance-rate 1.0: must be less than 1"),
    ("backtest --rebalance-band 5", 2, "--rebalance-band is a fraction of equity from 0 on and below 1, given 5"),
    ("backtest --rebalance-band nan", 2, "--rebalance-band is a fraction of equity"),
    ("backtest --leverage nan", 2, "invalid value for '--leverage'"),
    ("backtest --size risk", 2, "--size is given as kind=number (risk=0.01), given 'risk'"),
    ("backtest --size rsk=0.01", 2, "unknown sizing 'rsk'"),
    ("backtest --size risk=nan", 2, "the sizing risk takes a fraction of equity below 1 (0.01 for 1 %), given nan"),
    ("backtest --size risk=2", 2, "the sizing risk takes a fraction of equity below 1 (0.01 for 1 %), given 2"),
    ("backtest --size quantity=inf", 2, "the sizing quantity takes a positive number, given inf"),
    ("backtest --size notional=1e400", 2, "the sizing notional takes a positive number, given inf"),
    ("backtest --size notional=-5", 2, "the sizing notional takes a positive number, given -5"),
    ("backtest --size =", 2, "--size is given as kind=number (risk=0.01), given '='"),
    ("backtest --leverage inf", 2, "--leverage is above 0 and at most 100, given inf"),
    ("backtest --leverage 1e9", 2, "--leverage is above 0 and at most 100, given 1e+09"),
    ("backtest --cash inf", 2, "--cash inf: must be a finite number"),
    ("backtest --cash nan", 2, "--cash nan: must be a finite number"),
    ("backtest --fee nan", 2, "--fee nan: must be less than 1"),
    ("backtest --fee -0.1", 2, "--fee -0.1: must be greater than or equal to 0"),
    ("backtest --slippage 1", 2, "--slippage 1.0: must be less than 1"),
    ("backtest --maintenance-rate nan", 2, "--maintenance-rate nan: must be less than 1"),
    (
        "backtest --exchange demo --symbol BTC/USD --symbol XX/USD --symbol ETH/USD",
        2,
        "the demo exchange has no symbol 'XX/USD'. Did you mean 'XRP/USD'?",
    ),
    ("backtest --symbol BTC/USD --symbol BTC/USD", 2, "--symbol BTC/USD is given twice"),
    (
        "backtest --symbol BTC/USD --symbol ETH/EUR",
        2,
        "one account holds one currency: BTC/USD is paid for in USD, ETH/EUR in EUR",
    ),
    ("backtest --strategy sma_cross --strategy sma_cross", 2, "--strategy sma_cross is given twice"),
    (
        "backtest --strategy sma_cross --strategy buy_the_dip -p fast=5",
        2,
        "with several strategies a parameter says whose it is: sma_cross.fast=5, given 'fast=5'",
    ),
    (
        "backtest --strategy sma_cross --strategy buy_the_dip -p sma_cros.fast=5",
        2,
        "there is no strategy 'sma_cros' in this run (there are: sma_cross, buy_the_dip). Did you mean 'sma_cross'?",
    ),
    (
        "backtest --strategy sma_cross --strategy buy_the_dip -p sma_cross.fst=5",
        2,
        "sma_cross has no parameter 'fst'",
    ),
    ("live --rebalance-band 1", 2, "--rebalance-band is a fraction of equity from 0 on and below 1, given 1"),
    ("backtest --start 2024-02-30", 2, "'2024-02-30' is not a date or time"),
    ("verify missing.json", 2, "there is no file missing.json"),
    ("verify .", 2, "there is no run '.'"),
    ("verify r20200101-000000-0000", 2, "there is no run 'r20200101-000000-0000'"),
    ("verify", 4, "no run is kept yet"),
    ("verify bad.toml", 4, "bad.toml is not JSON of a result"),
    ("data exprt", 2, "there is no command 'algotrade data exprt'. Did you mean 'export'?"),
    ("data export --to x.xlsx", 2, "a file for candles ends in .parquet, .csv, .csv.gz, given x.xlsx"),
    ("data export --to bad.csv", 2, "bad.csv is there already; --force replaces it"),
    ("data export --to x.csv", 4, "nothing is stored yet"),
    ("data export --to x.csv --start 2024-02-30", 2, "'2024-02-30' is not a date or time"),
    ("data import missing.parquet", 4, "missing.parquet: there is no such file"),
    ("data import bad.csv", 4, "bad.csv: it is not a file that `data export` wrote"),
    ("data import empty.csv", 4, "empty.csv cannot be read"),
    ("data drop --symbol BTC/UDS", 4, "no series of BTC/UDS is stored"),
    ("evaluate r20200101-000000-0000", 2, "r20200101-000000-0000"),
    ("new strategy ../x", 2, "'../x' is not a name for a strategy"),
    ("new strategy class", 2, "'class' is not a name for a strategy"),
    ("new strategy None", 2, "'None' is not a name for a strategy"),
    ("new strategy true", 2, "'true' is not a name for a strategy"),
    ("new strategy print", 2, "'print' is not a name for a strategy"),
    ("new strategy value_error", 2, "'value_error' is not a name for a strategy"),
    ("new strategy sma_cross", 2, "'sma_cross' is a strategy that comes with algotrade"),
    ("new strategy SmaCross", 2, "'sma_cross' is a strategy that comes with algotrade"),
    ("list data --config missing.toml", 3, "there is no configuration file missing.toml"),
    ("list data --config bad.toml", 3, "bad.toml line 1, column 10: cash = 10,000 - write 10000 or 10_000"),
    ("list data --database bad.toml", 3, "bad.toml"),
    ("list data --database /proc/nowhere/x.db", 3, "/proc/nowhere"),
]


@pytest.fixture
def files(place: Path) -> Path:
    """Files that some of the commands name."""
    (place / "empty.csv").write_text("")
    (place / "bad.csv").write_text("time,open,high,low,close\n2024-01-01,1,2,1,2\n2024-01-02,1,nan,1,2\n")
    (place / "bad.toml").write_text("cash = 10,000\n")
    (place / "broken.py").write_text("x = 1\nclass Broken(:\n")
    return place


def parse(command: str) -> None:
    """Parse a whole command line as the program does, without running it; raises where it does not parse."""
    program, *arguments = shlex.split(command)
    assert program == "algotrade", command
    root: Any = typer.main.get_command(app)
    context = root.make_context("algotrade", list(arguments), resilient_parsing=True)
    while getattr(context.command, "commands", None) is not None:
        rest = [*context._protected_args, *context.args]
        if not rest or rest[0] in ("-h", "--help"):
            return
        command_below = context.command.get_command(context, rest[0])
        assert command_below is not None, f"no command {rest[0]} in: {command}"
        known = {name for parameter in command_below.get_params(context) for name in parameter.opts}
        unknown = [word for word in rest[1:] if word.startswith("-") and word.split("=")[0] not in known]
        if getattr(command_below, "commands", None) is None:
            assert not unknown, f"{unknown} in: {command}"
            if not {"-h", "--help"} & set(rest):
                command_below.make_context(rest[0], rest[1:], parent=context)
            return
        context = command_below.make_context(rest[0], rest[1:], parent=context, resilient_parsing=True)


@pytest.mark.parametrize(
    ("command", "code", "message"), TABLE, ids=[row[0][:60].encode("unicode_escape").decode() for row in TABLE]
)
def test_bad_input_is_answered_in_two_lines(
    algotrade: Callable[..., Any], files: Path, command: str, code: int, message: str
) -> None:
    run = algotrade(*shlex.split(command))
    said = [line for line in run.err.splitlines() if line.startswith(("error: ", "try: "))]
    assert message in said[0]
    assert run.code == code
    assert run.out == ""
    assert "Traceback" not in run.err
    assert "\x1b" not in run.err
    if run.hint and not run.hint.startswith("pip "):
        parse(run.hint)


@pytest.mark.parametrize("name", ["missing.csv", "empty.csv", "latin.csv", "half.csv.gz", "half.parquet"])
def test_a_file_that_cannot_be_read_is_answered_with_what_else_there_is(
    algotrade: Callable[..., Any], files: Path, name: str
) -> None:
    (files / "latin.csv").write_bytes("time,öffnung\n".encode("latin-1"))
    (files / "half.csv.gz").write_bytes(b"\x1f\x8b\x08\x00")
    (files / "half.parquet").write_bytes(b"PAR1")
    run = algotrade("fetch", "--from", name)
    assert (run.code, run.hint) == (4, "algotrade fetch -h")


@pytest.mark.parametrize(
    "command",
    ["fetch", "algotrade fetsh", "algotrade fetch --symbl x", "algotrade fetch --symbol", "algotrade list dta"],
)
def test_a_stale_hint_would_be_noticed(place: Path, command: str) -> None:
    with pytest.raises((AssertionError, UsageError)):
        parse(command)


def test_a_closed_exchange_is_no_reason_to_forget_the_command(algotrade: Callable[..., Any], place: Path) -> None:
    (place / "algotrade.toml").write_text("[exchange.kraken.ccxt]\ntimeout = 2000\nhttpsProxy = 'http://127.0.0.1:9'\n")
    run = algotrade("fetch", "--symbol", "BTC/USD")
    assert run.code == 69
    assert "kraken" in run.err
    assert run.hint == "algotrade fetch --symbol BTC/USD"


def written_hints() -> list[str]:
    """Every `hint=` and HINT that stands in the source as text; what is filled in at run time reads 1.

    Where the command itself is filled in there is nothing to parse.
    """
    found = set()
    for path in Path(algotrade.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                found.update(texts(node.value))
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and "HINT" in node.target.id:
                found.update(texts(node.value))
    return sorted(hint for hint in found if hint.startswith("algotrade ") and not hint.startswith("algotrade 1 "))


def texts(node: ast.expr | None) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in parts)]
        case ast.IfExp(body=body, orelse=orelse):
            return texts(body) + texts(orelse)
        case ast.BoolOp(values=values):
            return [text for value in values for text in texts(value)]
    return []


def test_every_command_that_the_source_recommends_can_be_typed(place: Path) -> None:
    hints = written_hints()
    assert len(hints) > 20
    for hint in hints:
        parse(hint)
