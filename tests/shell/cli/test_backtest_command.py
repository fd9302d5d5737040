"""backtest, evaluate and why from the outside: the demo market, or real rows in a real store."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
DEMO = ("backtest", "--exchange", "demo", "--start", "2020-01-01", "--end", "2021-12-31")
KEYS = {
    "schema", "run", "data", "strategy", "costs", "instrument", "calendar", "summary", "buy_and_hold", "checks",
    "round_trips", "open_position", "fills", "targets", "rejections", "versions", "warnings", "limits", "equity_hash",
    "strategies", "execution", "ran_on", "bounds", "ruined_at", "charges", "ambiguous_bars", "markets", "parts",
}  # fmt: skip
MORE_KEYS = {"by_month", "by_year", "drawdowns", "round_trip_distribution", "break_even_fee"}
PEEKING = """
from algotrade import SignalStrategy

class Peeks(SignalStrategy):
    def generate_signals(self, candles):
        return candles[["close"]].assign(signal=(candles.close.shift(-1) > candles.close).astype(float))
"""
SHORTING = """
from algotrade import SignalStrategy

class BothWays(SignalStrategy):
    warmup = 10

    def generate_signals(self, candles):
        above = candles.close > candles.close.rolling(10).mean()
        return candles[["close"]].assign(signal=above.astype(float) * 2 - 1)
"""
RAISING = """
from algotrade import SignalStrategy

class Raises(SignalStrategy):
    def generate_signals(self, candles):
        return candles.assign(signal=1 / 0)
"""


def backtest(algotrade: Command, *arguments: str) -> Any:
    """A run on the demo market without its checks, as JSON."""
    run = algotrade(*DEMO, "--check", "none", "--json", *arguments)
    assert run.code == 0, run.err
    return run.document


# ---- backtest -------------------------------------------------------------------------------------------------------
def test_the_result_is_on_stdout_and_what_is_said_of_it_on_stderr(algotrade: Command) -> None:
    run = algotrade(*DEMO)
    assert run.code == 0
    for heading in ("Portfolio evaluation", "Trade evaluation", "Equity", "Checks", "See more"):
        assert heading in run.out
    assert run.err == "running on SIMULATED candles of the demo exchange\n"


def test_a_simulated_market_is_named_in_title_stderr_and_json(algotrade: Command) -> None:
    run = algotrade(*DEMO, "--check", "none")
    assert run.out.splitlines()[0] == "sma_cross on BTC/USD 1d - SIMULATED MARKET"
    assert "SIMULATED" in run.err
    assert backtest(algotrade)["data"]["simulated"] is True


def test_a_simulated_market_is_named_wherever_its_figures_are(algotrade: Command) -> None:
    backtest(algotrade)
    assert algotrade("why", "2020-06-01").out.splitlines()[0].endswith(" - SIMULATED MARKET")
    assert algotrade("why", "2020-06-01", "--json").document["simulated"] is True
    assert "Market      SIMULATED" in algotrade("evaluate", "latest", "latest").out
    assert algotrade("evaluate", "latest", "latest", "--json").document["a"]["data"]["simulated"] is True
    assert algotrade("list", "runs", "--json").document["runs"][0]["simulated"] is True
    assert algotrade("list", "runs").out.split()[-1] == "yes"


def test_a_run_on_fetched_candles_is_not_called_simulated_whatever_its_strategy_says(
    algotrade: Command, place: Path
) -> None:
    (place / "odd.py").write_text(
        SHORTING.replace("warmup = 10", """warmup = 10; text = '"simulated":true,"start":'""")
    )
    rows = [f"2020-01-{day:02d},10,12,9,{10 + day % 3},1" for day in range(1, 32)]
    (place / "real.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    algotrade("fetch", "--from", "real.csv", "--symbol", "ABC/USD", "--timeframe", "1d")
    run = algotrade("backtest", "--symbol", "ABC/USD", "--strategy", "odd.py", "--allow-short", "--check", "none")
    assert run.code == 0, run.err
    assert algotrade("list", "runs", "--json").document["runs"][0]["simulated"] is False
    assert "SIMULATED" not in algotrade("why", "2020-01-20").out
    assert "Market      real" in algotrade("evaluate", "latest", "latest").out


def test_the_equity_of_a_listed_run_reads_as_money(algotrade: Command) -> None:
    equity = backtest(algotrade)["summary"]["final_equity"]
    assert f" {equity:,.2f} " in algotrade("list", "runs").out


def test_a_first_run_succeeds_with_no_exchange_in_reach(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text(
        '[exchange.kraken.ccxt]\nurls = {api = {public = "http://127.0.0.1:9"}}\nenableRateLimit = false\n'
    )
    run = algotrade("backtest", "--symbol", "BTC/USD", "--check", "none")
    assert run.code == 0
    assert "SIMULATED MARKET" in run.out
    assert "Cannot reach kraken" in run.err
    named = algotrade("backtest", "--symbol", "BTC/USD", "--exchange", "kraken", "--json")
    assert (named.code, named.document["error"]["kind"]) == (69, "unreachable")


def test_json_is_one_object_with_the_published_keys(algotrade: Command) -> None:
    document = backtest(algotrade)
    assert set(document) == KEYS
    assert document["schema"] == "algotrade.backtest/1"
    assert "source" not in document["strategy"]
    assert document["data"]["bars"] == 731
    assert document["strategy"]["parameters"] == {"fast": 10, "slow": 20}


def test_a_failure_under_json_is_one_object_too(algotrade: Command) -> None:
    run = algotrade("backtest", "--strategy", "sma_crss", "--json")
    assert (run.code, run.err) == (2, "")
    assert run.document["schema"] == "algotrade.error/1"
    assert set(run.document["error"]) == {"code", "kind", "message", "hint"}


@pytest.mark.parametrize(("check", "verdicts", "covered"), [("none", 0, None), ("full", 4, 731)])
def test_checks_are_made_as_asked_for(algotrade: Command, check: str, verdicts: int, covered: int | None) -> None:
    run = algotrade(*DEMO, "--check", check, "--json")
    checks = run.document["checks"]
    assert len(checks) == verdicts
    assert checks.get("look_ahead", {}).get("covered") == covered


def test_a_kind_of_check_that_is_none_is_refused(algotrade: Command) -> None:
    run = algotrade(*DEMO, "--check", "ful")
    assert run.code == 2
    assert "Did you mean 'full'?" in run.err


def test_a_failed_check_stands_above_the_figures_and_strict_makes_it_an_exit_code(
    algotrade: Command, place: Path
) -> None:
    (place / "peeks.py").write_text(PEEKING)
    lenient = algotrade(*DEMO, "--strategy", "peeks.py")
    assert lenient.code == 0
    assert lenient.out.startswith("CHECK FAILED: look-ahead")
    strict = algotrade(*DEMO, "--strategy", "peeks.py", "--strict")
    assert strict.code == 5
    assert strict.out.startswith("CHECK FAILED: look-ahead")
    assert "error: checks failed: look-ahead" in strict.err
    machine = algotrade(*DEMO, "--strategy", "peeks.py", "--strict", "--json")
    assert machine.code == 5
    assert machine.document["checks"]["look_ahead"]["passed"] is False
    assert algotrade(*DEMO, "--strict").code == 0


def test_a_page_is_written_and_named(algotrade: Command, place: Path) -> None:
    run = algotrade(*DEMO, "--check", "none", "--html", "page.html")
    assert "wrote page.html" in run.err
    assert "SIMULATED" in (place / "page.html").read_text()


def test_tables_are_exported_and_their_values_survive(algotrade: Command, place: Path) -> None:
    document = backtest(algotrade, "--export-csv", "tables")
    rows = {name: list(csv.DictReader((place / "tables" / f"{name}.csv").open())) for name in ("fills", "equity")}
    assert [float(row["price"]) for row in rows["fills"]] == [fill[3] for fill in document["fills"]]
    assert [float(row["fee"]) for row in rows["fills"]] == [fill[4] for fill in document["fills"]]
    assert float(rows["equity"][-1]["equity"]) == document["summary"]["final_equity"]
    assert rows["equity"][0]["time"] == "2020-01-01T00:00:00Z"


def test_refused_orders_are_told_on_the_screen_and_on_the_page_and_explained(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text("[risk]\nmax_order_notional = 500\n")
    run = algotrade(*DEMO, "--check", "none", "--html", "page.html")
    kept = algotrade("evaluate", "--json").document
    denied = [row for row in kept["rejections"] if row["reason"] == "max_order_notional"]
    said = f"{len(denied)} orders were refused: {len(denied)} because the order was above the limit on one order"
    assert 1 < len(denied) < len(kept["rejections"])
    for text in (run.out, algotrade("evaluate").out, (place / "page.html").read_text()):
        assert said in " ".join(text.split())
    after = kept["targets"][0][0] + 86_400_000
    told = algotrade("why", datetime.fromtimestamp(after / 1000, UTC).strftime("%Y-%m-%d"), "--json").document
    assert "but nothing is held: the order of " in told["answer"]


def test_all_round_trips_are_shown_on_request(algotrade: Command) -> None:
    some = algotrade(*DEMO, "--check", "none").out
    every = algotrade(*DEMO, "--check", "none", "--all-round-trips").out
    count = len(backtest(algotrade)["round_trips"])
    assert f"{count - 10} earlier ones are hidden" in some
    assert "hidden" not in every
    assert len(every.splitlines()) > len(some.splitlines())


def test_a_run_is_kept_and_listed(algotrade: Command) -> None:
    run = backtest(algotrade)["run"]
    listed = algotrade("list", "runs", "--json").document["runs"]
    assert [row["id"] if "id" in row else row["run"] for row in listed] == [run]


def test_a_pipe_gets_whole_figures_and_no_escape_codes(algotrade: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    narrow = algotrade(*DEMO).out
    assert "\x1b" not in narrow
    assert "…" not in narrow
    assert f"{backtest(algotrade)['summary']['final_equity']:,.2f}" in narrow


def test_what_to_type_next_can_be_typed_and_fits_a_terminal(algotrade: Command, place: Path) -> None:
    out = algotrade(*DEMO, "--check", "none").out
    lines = out[out.index("See more") :].splitlines()[1:]
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    for line in lines:
        run = algotrade(*line[line.index("algotrade ") :].split()[1:])
        assert run.code == 0, line
    assert "the target went from" in run.out
    assert (place / "report.html").is_file()


def test_quiet_says_nothing_beside_the_result(algotrade: Command) -> None:
    run = algotrade(*DEMO, "--check", "none", "--quiet")
    assert run.err == ""
    assert "SIMULATED MARKET" in run.out


def test_costs_and_cash_are_the_given_ones(algotrade: Command) -> None:
    costs = backtest(algotrade, "--cash", "5000", "--fee", "0.001", "--slippage", "0", "--leverage", "2")["costs"]
    given = {"fee_rate": 0.001, "slippage_rate": 0.0, "cash": 5000.0, "leverage": 2.0, "allow_short": False}
    assert costs == costs | given


def test_cash_that_a_float_cannot_count_is_refused(algotrade: Command) -> None:
    run = algotrade("backtest", "--cash", "1e308")
    assert run.code == 2
    assert "--cash 1e+308: must be less than or equal to 1000000000000000" in run.err


@pytest.mark.filterwarnings("error")
def test_prices_beyond_a_float_are_a_result_with_undefined_figures(algotrade: Command, place: Path) -> None:
    days = (datetime.fromtimestamp(day * 86_400, UTC).date() for day in range(60))
    prices = (1e300 if day % 20 > 10 else 1e-300 for day in range(60))
    rows = [",".join(map(str, (day, price, price, price, price, 1))) for day, price in zip(days, prices, strict=False)]
    (place / "wild.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    assert algotrade("fetch", "--from", "wild.csv", "--symbol", "WILD/USD", "--timeframe", "1d").code == 0
    run = algotrade("backtest", "--symbol", "WILD/USD", "--allow-short", "--json", "-p", "fast=3", "-p", "slow=5")
    assert run.code == 0, run.out
    assert run.document["buy_and_hold"]["final_equity"] is None
    assert json.loads(json.dumps(run.document, allow_nan=False)) == run.document
    for command in (["evaluate"], ["evaluate", "--json"], ["evaluate", "latest", "latest"], ["why", "1970-02-01"]):
        assert algotrade(*command).code == 0, command


def test_a_span_that_the_store_does_not_fill_is_told_of(algotrade: Command) -> None:
    algotrade("fetch", "--exchange", "demo", "--start", "2020-01-01", "--end", "2020-12-31")
    run = algotrade("backtest", "--exchange", "demo", "--end", "2021-06-30", "--check", "none")
    assert "the stored candles end at 2020-12-31T00:00:00Z, before the end asked for (2021-06-30" in run.err
    assert "warning: the stored candles end at 2020-12-31" in run.out


def test_risk_limits_of_the_settings_are_in_force(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text("[risk]\nmax_order_notional = 1.0\n")
    document = backtest(algotrade)
    assert document["fills"] == []
    assert document["rejections"][0]["reason"] == "max_order_notional"


def test_a_strategy_that_raises_shows_its_own_line(algotrade: Command, place: Path) -> None:
    (place / "raises.py").write_text(RAISING)
    run = algotrade(*DEMO, "--strategy", "raises.py")
    assert run.code == 3
    assert "ZeroDivisionError: division by zero (raises.py line 6: return candles.assign(signal=1 / 0))" in run.err
    assert "Traceback" not in run.err


def test_too_few_bars_are_answered_with_a_command_that_has_enough(algotrade: Command) -> None:
    run = algotrade("backtest", "--exchange", "demo", "--start", "2020-01-01", "--end", "2020-01-05")
    assert run.hint == "algotrade backtest --exchange demo --symbol BTC/USD --timeframe 1d --start 2019-12-12"
    assert algotrade(*run.hint.split()[1:]).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-p", "fast=20", "-p", "slow=10"), 2, "fast"),
        (("--leverage", "0"), 2, "--leverage is above 0"),
        (("--start", "2020-02-01", "--end", "2020-01-01"), 2, "before it starts"),
        (("--start", "2020-01-01", "--end", "2020-01-05"), 4, "looks back 20 bars, but there are only 5"),
        (("--start", "2030-01-01"), 4, "the demo exchange has no 1d candle"),
        (("--html", "/proc/nowhere/page.html"), 3, "/proc/nowhere"),
        (("--export-csv", "/proc/nowhere"), 3, "cannot write /proc/nowhere"),
    ],
)
def test_what_cannot_be_run_is_a_sentence(
    algotrade: Command, arguments: tuple[str, ...], code: int, message: str
) -> None:
    run = algotrade("backtest", "--exchange", "demo", *arguments)
    assert (run.code, run.out) == (code, "")
    assert message in run.err
    assert "Traceback" not in run.err


def test_a_database_that_somebody_else_writes_to_is_a_sentence(algotrade: Command, place: Path) -> None:
    backtest(algotrade)
    other = sqlite3.connect(place / ".algotrade" / "algotrade.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run = algotrade(*DEMO, "--check", "none")
    other.close()
    assert run.code == 75
    assert "error: " in run.err
    assert "Traceback" not in run.err


def test_a_database_that_cannot_be_made_is_a_sentence(algotrade: Command) -> None:
    run = algotrade(*DEMO, "--database", "/proc/nowhere/algotrade.db")
    assert run.code == 3
    assert "/proc/nowhere" in run.err


# ---- evaluate -------------------------------------------------------------------------------------------------------
def test_the_latest_run_is_judged_again_with_the_same_figures(algotrade: Command) -> None:
    document = backtest(algotrade)
    again = algotrade("evaluate", "--json").document
    assert again["schema"] == "algotrade.evaluate/1"
    assert set(again) == KEYS | MORE_KEYS
    for name in KEYS - {"schema"}:
        assert again[name] == document[name], name
    assert [row["period"] for row in again["by_year"]] == ["2020", "2021"]
    assert algotrade("evaluate", document["run"], "--json").document == again


def test_more_depth_is_shown_for_people(algotrade: Command) -> None:
    backtest(algotrade)
    run = algotrade("evaluate")
    assert run.code == 0
    assert "drawdowns" in run.out
    assert "SIMULATED MARKET" in run.out.splitlines()[0]


def test_an_older_run_is_judged_by_its_id(algotrade: Command) -> None:
    first = backtest(algotrade, "--cash", "100")
    backtest(algotrade, "--cash", "200")
    assert algotrade("evaluate", first["run"], "--json").document["costs"]["cash"] == 100.0
    assert algotrade("evaluate", "latest", "--json").document["costs"]["cash"] == 200.0


def test_two_runs_are_compared(algotrade: Command) -> None:
    names = [backtest(algotrade, "-p", f"fast={fast}")["run"] for fast in (5, 10)]
    run = algotrade("evaluate", *names, "--json")
    assert set(run.document) == {"schema", "a", "b"}
    assert set(run.document["a"]) == {"run", "data", "costs", "summary", "break_even_fee"}
    assert [run.document[side]["run"] for side in "ab"] == names
    assert "Sharpe" in algotrade("evaluate", *names).out


def test_an_unknown_name_is_answered_with_the_nearest(algotrade: Command) -> None:
    known = backtest(algotrade)["run"]
    wrong = known[:-1] + ("0" if known[-1] != "0" else "1")
    run = algotrade("evaluate", wrong)
    assert run.code == 2
    assert f"Did you mean '{known}'?" in run.err
    assert algotrade("evaluate", "a", "b", "c").code == 2


def test_nothing_kept_yet_is_a_sentence(algotrade: Command) -> None:
    for command in (("evaluate",), ("why", "2020-02-01")):
        run = algotrade(*command)
        assert run.code == 4
        assert run.hint == "algotrade backtest --symbol BTC/USD"


def test_a_run_is_judged_and_explained_when_its_strategy_file_is_gone(algotrade: Command, place: Path) -> None:
    (place / "both.py").write_text(SHORTING)
    backtest(algotrade, "--strategy", "both.py", "--allow-short")
    (place / "both.py").unlink()
    assert algotrade("evaluate").code == 0
    told = algotrade("why", "2020-03-01", "--json")
    assert told.code == 0, told.err
    assert told.document["wanted"]["exposure"] in (-1.0, 1.0)


def test_candles_that_have_changed_since_are_refused(algotrade: Command, place: Path) -> None:
    algotrade("fetch", "--exchange", "demo", "--start", "2020-01-01", "--end", "2020-12-31")
    assert algotrade("backtest", "--exchange", "demo", "--check", "none").code == 0
    with sqlite3.connect(place / ".algotrade" / "algotrade.db") as database:
        database.execute("UPDATE candles SET close = close * 1.001 WHERE time = (SELECT max(time) FROM candles)")
    database.close()
    run = algotrade("evaluate")
    assert run.code == 4
    assert "are no longer those of the run" in run.err


def test_a_page_of_a_kept_run_can_be_written_later(algotrade: Command, place: Path) -> None:
    backtest(algotrade)
    run = algotrade("evaluate", "--html", "later.html")
    assert run.code == 0, run.err
    assert (place / "later.html").is_file()


@pytest.mark.parametrize("option", [["--html", "both.html"], ["--all-round-trips"]])
def test_what_a_comparison_cannot_show_is_refused(algotrade: Command, place: Path, option: list[str]) -> None:
    backtest(algotrade)
    run = algotrade("evaluate", "latest", "latest", *option)
    assert (run.code, run.out) == (2, "")
    assert f"{option[0]} is for one run, not for a comparison of two" in run.err
    assert run.hint == " ".join(["algotrade evaluate latest", *option]).replace("both.html", "report.html")
    assert algotrade(*run.hint.split()[1:]).code == 0
    assert not (place / "both.html").exists()


# ---- why ------------------------------------------------------------------------------------------------------------
def test_a_bar_is_explained_by_what_was_seen_wanted_and_done(algotrade: Command) -> None:
    entry = backtest(algotrade)["round_trips"][0]["entry_time"]
    decided = f"{int(entry[8:10]) - 1:02d}"
    run = algotrade("why", f"{entry[:8]}{decided}", "--json")
    assert set(run.document) == {"schema", "bar", "simulated", "title", "answer", "saw", "wanted", "did", "fills"}
    assert run.document["answer"] == "the target went from 0 to 1, and a buy filled at the next open"
    assert run.document["fills"][0]["time"] == entry
    assert {"close", "fast", "slow"} <= set(run.document["saw"])
    shown = algotrade("why", f"{entry[:8]}{decided}")
    assert "a buy filled at the next open" in shown.out


def test_a_moment_inside_a_bar_is_that_bar(algotrade: Command) -> None:
    backtest(algotrade)
    assert algotrade("why", "2020-02-01T17:30", "--json").document["bar"] == "2020-02-01T00:00:00Z"
    assert algotrade("why", "2021-12-31T23:59", "--json").document["bar"] == "2021-12-31T00:00:00Z"


def test_what_is_no_moment_is_answered_with_one(algotrade: Command) -> None:
    run = algotrade("why", "x")
    assert run.code == 2
    assert run.hint == "algotrade why 2024-03-01"


@pytest.mark.parametrize("bar", ["2019-12-31", "2022-01-01", "2050-01-01"])
def test_a_moment_outside_the_run_is_a_sentence(algotrade: Command, bar: str) -> None:
    run_id = backtest(algotrade)["run"]
    run = algotrade("why", bar, run_id)
    assert run.code == 2
    assert "which goes from 2020-01-01T00:00:00Z to 2021-12-31T00:00:00Z" in run.err
    assert run.hint == f"algotrade why 2021-12-31T00:00:00Z {run_id}"


def test_a_strategy_that_answers_events_is_explained_by_its_fills(algotrade: Command) -> None:
    document = backtest(algotrade, "--strategy", "buy_the_dip")
    assert document["targets"] is None
    told = algotrade("why", "2020-01-15", "--json").document
    assert told["wanted"] == {}
    assert told["answer"].startswith(("nothing was traded", "it sent an order"))


# ---- a live session is judged and explained like a run --------------------------------------------------------------
def test_a_session_is_judged_and_explained_by_its_name(algotrade: Command) -> None:
    live = algotrade(
        "live", "--exchange", "demo", "--speed", "100000", "--bars", "5", "--cash", "10000", "--quiet"
    )  # fmt: skip
    assert live.code == 0, live.err
    (session,) = algotrade("list", "sessions", "--json").document["sessions"]
    name = session.get("id") or session["session"]
    judged = algotrade("evaluate", name, "--json")
    assert judged.code == 0, judged.err
    assert algotrade("evaluate", "latest", "--json").document == judged.document
    assert f"Did you mean '{name}'?" in algotrade("evaluate", f"{name}x").err
    assert set(judged.document) == KEYS | MORE_KEYS
    assert judged.document["run"] == name
    told = algotrade("why", judged.document["data"]["end"], name, "--json")
    assert told.code == 0, told.err
    assert told.document["bar"] == judged.document["data"]["end"]
    assert told.document["simulated"] is True


def test_both_streams_of_a_process_are_plain_text(process: Command) -> None:
    run = process(*DEMO, "--json")
    assert json.loads(run.out)["data"]["simulated"]
    assert run.err == "running on SIMULATED candles of the demo exchange\n"
