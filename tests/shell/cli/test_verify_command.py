"""verify: a result gives every figure again, or is told what changed; a file from anywhere is data, not a program."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from algotrade.backtest.setup import Setup
from algotrade.config import default_settings
from algotrade.discover import find_strategy, strategy_sources
from algotrade.errors import FixData
from algotrade.ingest.source import MarketData
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_span
from algotrade.pipeline import run_backtest
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.canonical import canonical_json
from algotrade.store.database import open_database
from algotrade.verification.result_file import body_hash, read_result, result_of_run

Command = Callable[..., Any]
KEY = SeriesKey("kraken", "BTC/USD", "1d")
SPAN = parse_span("2020-01-01", "2021-12-31")
LATER_MS = 4_000_000_000_000  # a time after every run
STRATEGY = """
from pathlib import Path
from algotrade import SignalStrategy

Path("i_ran").touch()

class Mine(SignalStrategy):
    days: int = 10

    @property
    def warmup(self):
        return self.days

    def generate_signals(self, candles):
        above = candles.close > candles.close.rolling(self.days).mean()
        return candles[["close"]].assign(signal=above.astype(float))
"""
MEDDLER = """
import numpy as np
from algotrade import SignalStrategy
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.store.arrivals import write_candles
from algotrade.store.database import open_database

class Meddler(SignalStrategy):
    def generate_signals(self, candles):
        bar = candles.iloc[:1]
        values = bar[list(COLUMNS)].to_numpy().T + np.array([[0.0]] * 4 + [[1.0]])
        with open_database(".algotrade/algotrade.db") as database:
            write_candles(database, SeriesKey("kraken", "BTC/USD", "1d"), times_ms(bar), values)
        return candles[["close"]].assign(signal=1.0)
"""
SAVE = ("backtest", "--exchange", "kraken", "--check", "none", "--save", "result.json", "--quiet")


@pytest.fixture
def stored(place: Path) -> Path:
    """A project with two years of daily candles of kraken."""
    write(place, 1.0)
    return place


def write(place: Path, factor: float, rows: slice = slice(None), *, seen_ms: int | None = None) -> None:
    """Store candles, the chosen rows' prices multiplied."""
    assert SPAN.start is not None
    assert SPAN.end is not None
    candles = simulate_candles("BTC/USD", "1d", SPAN.start, SPAN.end).iloc[rows]
    columns = candles[list(COLUMNS)].to_numpy().T * np.array([[factor]] * 4 + [[1.0]])
    with open_database(place / ".algotrade" / "algotrade.db") as database:
        write_candles(database, KEY, times_ms(candles), np.ascontiguousarray(columns), Evidence(seen_ms))


def saved(algotrade: Command, *arguments: str) -> dict[str, Any]:
    run = algotrade(*SAVE, *arguments)
    assert run.code == 0, run.err
    return dict(json.loads(Path("result.json").read_text()))


def keep(content: dict[str, Any], *, rehash: bool = True) -> None:
    """Write a result that somebody changed, with a hash that fits."""
    if rehash:
        content["sha256"] = body_hash(content["body"])
    Path("result.json").write_text(json.dumps(content))


# ---- the same -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["result.json", "latest", "-"])
def test_a_result_gives_every_figure_again(
    algotrade: Command, stored: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content = saved(algotrade)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path("result.json").read_bytes())))
    run = algotrade("verify", name)
    fills = len(content["body"]["fills"])
    assert run.code == 0, run.err
    assert run.out == f"verified: 731 bars, {fills} fills, every figure the same\n"
    by_id = algotrade("verify", content["header"]["run"], "--json").document
    assert (by_id["same"], by_id["changed"], by_id["bars"], by_id["figures"]) == (True, [], 731, [])


def test_a_result_of_the_demo_market_needs_nothing_stored(algotrade: Command, place: Path) -> None:
    algotrade("backtest", "--exchange", "demo", "--symbol", "ETH/USD", "--save", "result.json", "--quiet")
    shutil.rmtree(place / ".algotrade")
    assert algotrade("verify", "result.json").code == 0


def test_a_file_names_no_path_and_no_machine_and_hashes_its_body(algotrade: Command, stored: Path) -> None:
    content = saved(algotrade)
    assert set(content) == {"schema", "header", "body", "sha256"}
    assert set(content["header"]) == {"run", "created", "machine"}
    assert content["sha256"] == hashlib.sha256(canonical_json(content["body"]).encode()).hexdigest()
    assert str(stored) not in json.dumps(content)
    assert len(content["body"]["data"]["blocks"]["blocks"]) <= 128


def test_a_kept_run_is_saved_later_as_the_same_file(algotrade: Command, stored: Path) -> None:
    run = saved(algotrade)["header"]["run"]
    algotrade("backtest", "--exchange", "kraken", "--fee", "0.01", "--check", "none")
    assert algotrade("evaluate", run, "--save", "later.json", "--quiet").code == 0
    assert Path("later.json").read_bytes() == Path("result.json").read_bytes()
    assert algotrade("evaluate", run, "latest", "--save", "x.json").code == 2


def test_limits_leverage_and_costs_are_part_of_what_is_run_again(algotrade: Command, stored: Path) -> None:
    (stored / "algotrade.toml").write_text("[risk]\nmax_order_notional = 4000\n")
    content = saved(algotrade, "--fee", "0.001", "--cash", "5000", "--leverage", "2")
    assert content["body"]["limits"]["max_order_notional"] == 4000
    (stored / "algotrade.toml").write_text("")
    assert algotrade("verify", "result.json").code == 0


def test_what_an_early_version_kept_can_not_be_verified(algotrade: Command, stored: Path) -> None:
    content = saved(algotrade)
    del content["body"]["equity_hash"]
    keep(content)
    run = algotrade("verify", "result.json")
    assert (run.code, run.out) == (4, "")
    assert "result.json is no result file: body.equity_hash: Field required" in run.err


# ---- what changed ---------------------------------------------------------------------------------------------------
def test_bars_that_were_revised_are_named_and_taken_back(algotrade: Command, stored: Path) -> None:
    saved(algotrade)
    write(stored, 1.01, slice(100, 102), seen_ms=LATER_MS)
    write(stored, 1.02, slice(101, 102), seen_ms=LATER_MS + 1)
    run = algotrade("verify", "result.json")
    assert run.code == 5
    assert (
        "2 bars have changed since this run (revisions from 2096-10-02T07:06:40Z to 2096-10-02T07:06:40.001Z):"
        in run.out
    )
    assert "2020-04-10T00:00:00Z open" in run.out
    assert "kraken" not in run.out
    assert "on the bars as they were every figure is the same" in run.out
    document = algotrade("verify", "--json").document
    assert (document["changed"], document["figures"], len(document["revised"])) == (["data"], [], 2)


def test_bars_that_are_revised_while_a_backtest_runs_count_as_revised_after_it(
    algotrade: Command, stored: Path
) -> None:
    (stored / "strategies").mkdir()
    (stored / "strategies" / "meddler.py").write_text(MEDDLER)
    assert algotrade(*SAVE, "--strategy", "meddler").code == 0
    (row,) = algotrade("list", "runs", "--json").document["runs"]
    assert row["revised"] == 1


def test_a_revised_run_is_still_judged_and_says_so(algotrade: Command, stored: Path) -> None:
    saved(algotrade)
    before = algotrade("evaluate", "--json").document
    write(stored, 1.01, slice(100, 102), seen_ms=LATER_MS)
    run = algotrade("evaluate", "--json")
    assert run.document == before
    assert "2 bars have changed since this run (revision of 2096-10-02T07:06:40Z)" in run.err
    assert "judged on the bars as they were" in run.err
    (row,) = algotrade("list", "runs", "--json").document["runs"]
    assert row["revised"] == 2


def test_bars_made_of_finer_ones_are_made_again_as_they_were(algotrade: Command, stored: Path) -> None:
    saved(algotrade, "--timeframe", "1w")
    assert algotrade("verify", "result.json").code == 0
    before = algotrade("evaluate", "--json").document
    write(stored, 1.01, slice(100, 102), seen_ms=LATER_MS)
    write(stored, 1.02, slice(101, 102), seen_ms=LATER_MS + 1)
    document = algotrade("verify", "result.json", "--json").document
    assert (document["changed"], document["figures"], len(document["revised"])) == (["data"], [], 2)
    assert algotrade("evaluate", "--json").document == before
    (row,) = algotrade("list", "runs", "--json").document["runs"]
    assert row["revised"] == 2
    algotrade("data", "drop", "--yes")
    assert "--timeframe 1d --start 2020-01-06" in algotrade("verify", "result.json").hint


def test_bars_that_came_later_are_placed(algotrade: Command, stored: Path) -> None:
    shutil.rmtree(stored / ".algotrade")
    write(stored, 1.0, slice(0, 300))
    write(stored, 1.0, slice(310, None))
    saved(algotrade)
    write(stored, 1.0, slice(300, 310))
    run = algotrade("verify", "result.json")
    assert run.code == 5
    assert "bars are others than then, from 2020-10-" in run.out
    document = algotrade("verify", "--json").document
    assert sum(block["now"] - (block["then"] or 0) for block in document["blocks"]) == 10
    evaluated = algotrade("evaluate")
    assert (evaluated.code, evaluated.hint[:16]) == (4, "algotrade verify")


def test_bars_that_are_gone_can_be_fetched_again(algotrade: Command, stored: Path) -> None:
    saved(algotrade)
    algotrade("data", "drop", "--yes")
    run = algotrade("verify", "result.json")
    assert run.code == 4
    expected = "algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1d --start 2020-01-01 --end 2021-12-31"
    assert run.hint == expected


def test_a_file_changed_by_hand_is_told_from_its_hash_and_its_figures(algotrade: Command, stored: Path) -> None:
    content = saved(algotrade)
    content["body"]["summary"]["sharpe"] = 9.9
    keep(content, rehash=False)
    run = algotrade("verify", "result.json")
    assert run.code == 5
    assert "it was changed after it was written" in run.out
    assert "summary.sharpe: 9.9 recorded, " in run.out
    keep(content)
    document = algotrade("verify", "result.json", "--json").document
    assert document["changed"] == ["figures"]
    assert [figure["place"] for figure in document["figures"]] == ["summary.sharpe"]


def test_a_check_that_is_said_to_have_passed_is_made_again(algotrade: Command, stored: Path) -> None:
    strategies = stored / "strategies"
    strategies.mkdir()
    peeks = STRATEGY.replace("candles.close >", "candles.close.shift(-1) >")
    (strategies / "mine.py").write_text(peeks)
    algotrade("backtest", "--exchange", "kraken", "--strategy", "mine", "--save", "result.json", "--quiet")
    content = json.loads(Path("result.json").read_text())
    assert content["body"]["checks"]["look_ahead"]["passed"] is False
    content["body"]["checks"]["look_ahead"]["passed"] = True
    keep(content)
    run = algotrade("verify", "result.json")
    assert run.code == 5
    assert "look-ahead passed then and fails now" in run.out


def test_other_versions_are_named_first(algotrade: Command, stored: Path) -> None:
    content = saved(algotrade)
    content["body"]["versions"]["numpy"] = "1.0"
    keep(content)
    run = algotrade("verify", "result.json")
    assert run.code == 0
    assert "made with numpy 1.0, verified with " in run.err


# ---- code from elsewhere --------------------------------------------------------------------------------------------
@pytest.fixture
def foreign(algotrade: Command, stored: Path) -> Path:
    """A result whose strategy lay in a file elsewhere, in a place where its run is not kept."""
    elsewhere = stored / "elsewhere.py"
    elsewhere.write_text(STRATEGY)
    saved(algotrade, "--strategy", "elsewhere.py")
    shutil.rmtree(stored / ".algotrade")
    write(stored, 1.0)
    (stored / "i_ran").unlink()
    elsewhere.rename(stored / "moved.py")
    return stored


def test_code_from_elsewhere_is_not_run_unless_asked_for(algotrade: Command, foreign: Path) -> None:
    run = algotrade("verify", "result.json")
    assert (run.code, run.out) == (77, "")
    assert run.hint == "algotrade verify result.json --run-recorded-code"
    assert not (foreign / "i_ran").exists()
    allowed = algotrade("verify", "result.json", "--run-recorded-code")
    assert allowed.code == 0, allowed.err
    assert (foreign / "i_ran").exists()


def test_the_same_code_may_lie_anywhere(algotrade: Command, foreign: Path) -> None:
    assert algotrade("verify", "result.json", "--strategy", "moved.py").code == 0
    (foreign / "moved.py").write_text(STRATEGY.replace("days: int = 10", "days: int = 11"))
    run = algotrade("verify", "result.json", "--strategy", "./moved.py:Mine")
    assert run.code == 5
    assert "what --strategy names was run, and is not the recorded code" in run.out


@pytest.mark.parametrize("kept", [True, False])
def test_a_strategy_that_is_named_is_what_runs_wherever_the_run_is_known(
    algotrade: Command, stored: Path, kept: bool
) -> None:
    (stored / "mine.py").write_text(STRATEGY)
    (stored / "other.py").write_text(STRATEGY.replace("rolling(self.days)", "rolling(self.days + 9)"))
    saved(algotrade, "--strategy", "mine.py")
    if not kept:
        shutil.rmtree(stored / ".algotrade")
        write(stored, 1.0)
    run = algotrade("verify", "result.json", "--strategy", "other.py", "--json")
    assert run.code == 5
    assert run.document["own_code"] is True
    assert {"code", "figures"} <= set(run.document["changed"])
    assert algotrade("verify", "result.json", "--strategy", "mine.py").code == 0
    both = algotrade("verify", "result.json", "--strategy", "mine.py", "--run-recorded-code")
    assert both.code == 2


@pytest.mark.parametrize("name", ["result.json", "latest"])
@pytest.mark.parametrize("change", [("rolling(self.days)", "rolling(self.days + 9)"), ("days: int", "length: int")])
def test_ones_own_strategy_that_has_changed_since_is_told_in_a_line(
    algotrade: Command, stored: Path, name: str, change: tuple[str, str]
) -> None:
    (stored / "strategies").mkdir()
    mine = stored / "strategies" / "mine.py"
    mine.write_text(STRATEGY)
    saved(algotrade, "--strategy", "mine")
    assert "has changed" not in algotrade("verify", name).err
    mine.write_text(STRATEGY.replace(*change))
    run = algotrade("verify", name)
    assert run.code == 0
    assert "your mine has changed since; verified with the code as recorded" in run.err.splitlines()
    assert algotrade("verify", name, "--json").document["outdated"] is True
    shutil.rmtree(stored / ".algotrade")
    write(stored, 1.0)
    foreign = algotrade("verify", "result.json")
    assert foreign.code == 77
    assert "your mine is another" in foreign.err


def test_the_code_of_a_run_kept_here_is_ones_own(algotrade: Command, stored: Path) -> None:
    (stored / "mine.py").write_text(STRATEGY)
    saved(algotrade, "--strategy", "mine.py")
    (stored / "mine.py").unlink()
    assert algotrade("verify", "result.json").code == 0
    content = json.loads(Path("result.json").read_text())
    content["body"]["strategy"]["source"] += "\n"
    keep(content)
    assert algotrade("verify", "result.json").code == 77


def test_an_edited_file_with_foreign_code_is_called_edited(algotrade: Command, foreign: Path) -> None:
    content = json.loads(Path("result.json").read_text())
    content["body"]["strategy"]["source"] += "\n"
    keep(content, rehash=False)
    run = algotrade("verify", "result.json")
    assert run.code == 5
    assert "was changed after it was written" in run.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body["strategy"].update(name="../../etc/passwd"), "body.strategy.name"),
        (lambda body: body["strategy"].update(name="evil.py"), "body.strategy.name"),
        (lambda body: body["strategy"].update(file="../../evil.py"), "body.strategy.file"),
        (lambda body: body["data"].update(symbol="../../x"), "is not a symbol like BTC/USD"),
        (lambda body: body["data"].update(exchange="\x1b[31m"), "body.data.exchange"),
        (lambda body: body["data"].update(timeframe="0h"), "'0h' is not a timeframe"),
        (lambda body: body["data"].update(start="2020-13-01T00:00:00Z"), "is not a date or time"),
        (lambda body: body["data"].update(start="0001-01-01T00:00:00Z", timeframe="1s"), "longer than"),
        (lambda body: body["data"].update(bars=10**12), "body.data.bars"),
        (lambda body: body["data"].update(resampled_from="7m"), "1d bars are not made of 7m bars"),
        (lambda body: body["data"].update(resampled_from="../x"), "'../x' is not a timeframe"),
        (lambda body: body["data"].update(left_out=[["x", "y"]]), "body.data.left_out"),
        (lambda body: body["data"].update(left_out=[["2020-99-01T00:00:00Z"] * 2]), "is not a date or time"),
        (lambda body: body["costs"].update(cash=-1.0), "body.costs.cash"),
        (lambda body: body["costs"].update(leverage=1e9), "body.costs.leverage"),
        (lambda body: body["fills"].append("x"), "body.fills"),
    ],
)
def test_hostile_values_are_refused_by_their_place(
    algotrade: Command, stored: Path, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    content = saved(algotrade)
    change(content["body"])
    keep(content)
    run = algotrade("verify", "result.json")
    assert (run.code, run.out) == (4, "")
    assert said in run.err
    assert "\x1b" not in run.err
    assert len(run.err.splitlines()) == 2


# ---- anything at all ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "nan",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        "1" * 5000,
        "1e999",
        '"\ud800"',
        "\xff",
    ],
)
def test_no_result_at_all_is_two_lines(algotrade: Command, place: Path, text: str) -> None:
    (place / "result.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    run = algotrade("verify", "result.json")
    assert (run.code, len(run.err.splitlines())) == (4, 2)


@pytest.fixture(scope="module")
def whole() -> bytes:
    """A small result file."""
    candles = simulate_candles("BTC/USD", "1d", *parse_span("2020-01-01", "2020-04-30"))
    market = MarketData(KEY, candles, Instrument("BTC/USD"), simulated=False)
    cls = find_strategy("sma_cross", strategy_sources(default_settings()))
    run = run_backtest(cls(), market, Setup((market.instrument,), "1d"), check="none")
    return json.dumps(result_of_run({**run.document, "run": "r20200501-000000-0000"}, 0)).encode()


def _mutilated(whole: bytes, data: Any) -> bytes:
    changed = bytearray(whole)
    for _ in range(data.draw(some.integers(1, 4))):
        at = data.draw(some.integers(0, len(changed) - 1))
        match data.draw(some.integers(0, 3)):
            case 0:
                changed[at] = data.draw(some.integers(0, 255))
            case 1:
                del changed[at : at + data.draw(some.integers(1, 200))]
            case 2:
                changed[at:at] = data.draw(
                    some.sampled_from([b"null", b"[]", b"{}", b"-1", b"1e999", b'"', b"\\u0000"])
                )
            case 3:
                del changed[at:]
        if not changed:
            break
    return bytes(changed)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_a_mutilated_file_is_read_or_refused_and_never_anything_else(whole: bytes, data: Any) -> None:
    content = _mutilated(whole, data)
    refused: FixData | None = None
    try:
        read = read_result(content, "result.json")
    except FixData as error:
        refused = error
    if refused is None:
        assert not read.intact or canonical_json(read.body) == canonical_json(json.loads(whole)["body"])
    else:
        assert refused.message.startswith("result.json ")
        assert "\n" not in refused.message
