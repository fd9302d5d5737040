"""fetch, list, new and config, from the outside; the exchange is the demo exchange, the store is real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
FETCH = ("fetch", "--exchange", "demo", "--start", "2020-01-01", "--end", "2020-01-31")


def test_a_fetch_stores_the_closed_candles_of_the_span_and_a_second_one_changes_nothing(algotrade: Command) -> None:
    first = algotrade(*FETCH, "--json").document["series"][0]
    again = algotrade(*FETCH, "--json").document["series"][0]
    assert (first["added"], first["first"], first["last"]) == (31, "2020-01-01T00:00:00Z", "2020-01-31T00:00:00Z")
    assert (again["added"], again["revised"], again["last"]) == (0, 0, "2020-01-31T00:00:00Z")


def test_a_fetch_under_cron_logs_a_line_for_each_symbol(algotrade: Command) -> None:
    run = algotrade(*FETCH, "--symbol", "BTC/USD", "--symbol", "ETH/USD")
    lines = [line.split(" ", 1)[1] for line in run.err.splitlines() if " INFO " in line]
    complete = "+31 candles, complete to 2020-01-31T00:00:00Z"
    assert sorted(lines) == [f"INFO fetch demo BTC/USD 1d {complete}", f"INFO fetch demo ETH/USD 1d {complete}"]
    assert "SIMULATED" in run.err


def test_a_quiet_fetch_prints_its_result_alone(algotrade: Command) -> None:
    run = algotrade(*FETCH, "--quiet")
    assert run.err == ""
    assert "BTC/USD" in run.out


def test_a_symbol_that_fails_does_not_lose_the_others(algotrade: Command) -> None:
    run = algotrade(*FETCH, "--symbol", "ETH/USD", "--symbol", "BTC/UDS")
    assert run.code == 2
    assert "ETH/USD" in run.out
    assert (
        "demo BTC/UDS 1d +0 candles, not complete (nothing stored): the demo exchange has no symbol 'BTC/UDS'"
        in run.err
    )
    asked = algotrade(*FETCH, "--symbol", "ETH/USD", "--symbol", "BTC/UDS", "--json")
    assert asked.code == 2
    assert [series["error"] for series in asked.document["series"]] == [None, "usage"]


def test_a_file_is_imported_under_its_exchange_and_symbol(algotrade: Command, place: Path) -> None:
    (place / "prices.csv").write_text("Day,Last\n2024-01-01,10\n2024-01-02,11\n2024-01-03,12\n")
    run = algotrade(
        "fetch", "--symbol", "A/B", "--from", "prices.csv", "--columns", "time=Day,close=Last", "--close-only", "--json"
    )
    assert run.code == 0, run.err
    (series,) = run.document["series"]
    assert (series["exchange"], series["origin"], series["timeframe"], series["added"]) == ("kraken", "import", "1d", 3)


def test_bad_rows_are_listed_and_the_good_ones_stored_on_request(algotrade: Command, place: Path) -> None:
    rows = [f"2024-01-0{day},1,2,1,2,5" for day in (1, 2, 3)]
    (place / "prices.csv").write_text(
        "\n".join(["time,open,high,low,close,volume", *rows, "2024-01-04,1,0,1,2,5"]) + "\n"
    )
    run = algotrade("fetch", "--from", "prices.csv", "--skip-bad", "--json")
    assert run.code == 0, run.err
    assert run.document["series"][0]["added"] == 3
    assert [row["line"] for row in run.document["skipped"]] == [5]


def test_settings_choose_what_the_flags_leave_open(
    algotrade: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "algotrade.toml").write_text("[defaults]\nexchange = 'demo'\nsymbol = 'SOL/USD'\n")
    monkeypatch.setenv("ALGOTRADE_TIMEFRAME", "1h")
    (series,) = algotrade("fetch", "--start", "2021-01-01", "--end", "2021-01-01", "--json").document["series"]
    assert (series["symbol"], series["timeframe"], series["added"]) == ("SOL/USD", "1h", 24)


def test_the_data_lies_beside_the_project_file(algotrade: Command, place: Path) -> None:
    algotrade(*FETCH)
    assert (place / ".algotrade" / "algotrade.db").is_file()


def test_the_lists_of_an_empty_store_say_what_to_type(algotrade: Command) -> None:
    for name, command in (("data", "fetch"), ("runs", "backtest"), ("sessions", "live")):
        run = algotrade("list", name)
        assert run.code == 0
        assert f"algotrade {command}" in run.err
        assert algotrade("list", name, "--json").document[name] == []


def test_what_was_fetched_is_listed(algotrade: Command) -> None:
    algotrade(*FETCH)
    assert algotrade("list", "data", "--json").document["data"] == [
        {
            "exchange": "demo",
            "symbol": "BTC/USD",
            "timeframe": "1d",
            "origin": "demo",
            "first": "2020-01-01T00:00:00Z",
            "last": "2020-01-31T00:00:00Z",
            "candles": 31,
        }
    ]


def test_strategies_are_listed_with_parameters_and_idea(algotrade: Command, place: Path) -> None:
    (place / "strategies").mkdir()
    (place / "strategies" / "broken.py").write_text("1 / 0\n")
    rows = {row["strategy"]: row for row in algotrade("list", "strategies", "--json").document["strategies"]}
    assert rows["sma_cross"]["parameters"]["fast"] == {"default": 10, "low": 2, "high": 100, "kind": "int"}
    assert rows["sma_cross"]["usable"]
    assert not rows["broken"]["usable"]
    assert "ZeroDivisionError" in algotrade("list", "strategies").out


def test_exchanges_markets_and_timeframes_are_listed(algotrade: Command) -> None:
    exchanges = [row["exchange"] for row in algotrade("list", "exchanges", "--json").document["exchanges"]]
    assert exchanges[0] == "demo"
    assert "kraken" in exchanges
    markets = algotrade("list", "markets", "--exchange", "demo", "--json").document["markets"]
    assert "BTC/USD" in [row["symbol"] for row in markets]
    timeframes = algotrade("list", "timeframes", "--exchange", "kraken", "--json").document["timeframes"]
    assert {"timeframe": "1d"} in timeframes


def test_a_piped_table_is_neither_folded_nor_coloured(algotrade: Command, place: Path) -> None:
    (place / "strategies").mkdir()
    (place / "strategies" / "long.py").write_text(f"raise ValueError('{'x' * 300}')\n")
    run = algotrade("list", "strategies")
    assert "x" * 300 in run.out
    assert "\x1b" not in run.out


@pytest.mark.parametrize("kind", ["signals", "portfolio"])
def test_a_new_strategy_and_its_test_run_as_they_are(algotrade: Command, place: Path, kind: str) -> None:
    run = algotrade("new", "strategy", "MyIdea", "--kind", kind, "--json")
    assert run.document["files"] == [
        str(place / "strategies" / "my_idea.py"), str(place / "tests" / "test_my_idea.py")
    ]  # fmt: skip
    assert "my_idea" in algotrade("list", "strategies").out
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        check=False, cwd=place, capture_output=True, text=True, env={"PYTHONPATH": str(root), "PATH": ""},
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout


def test_an_unknown_kind_of_strategy_is_refused(algotrade: Command, place: Path) -> None:
    run = algotrade("new", "strategy", "my_idea", "--kind", "portfolo")
    assert run.code == 2
    assert "Did you mean 'portfolio'?" in run.err
    assert not list(place.rglob("*.py"))


@pytest.mark.parametrize("existing", ["strategies/my_idea.py", "tests/test_my_idea.py"])
def test_a_new_strategy_overwrites_nothing_and_leaves_nothing_half(
    algotrade: Command, place: Path, existing: str
) -> None:
    path = place / existing
    path.parent.mkdir()
    path.write_text("mine")
    run = algotrade("new", "strategy", "my_idea")
    assert run.code == 2
    assert run.hint == "algotrade new strategy my_idea2"
    assert [found.read_text() for found in place.rglob("*.py")] == ["mine"]


@pytest.mark.parametrize(
    "name", ["../x", "a b", "", "class", "é", "__init__", "a;b", "2fast", "a__b", "x" * 200, "a_b"]
)
def test_a_name_that_cannot_be_a_strategys_writes_nothing(algotrade: Command, place: Path, name: str) -> None:
    run = algotrade("new", "strategy", name)
    assert run.code == 2
    assert "is not a name for a strategy" in run.err
    assert not list(place.rglob("*.py"))


def test_a_folder_that_cannot_be_written_is_a_sentence(algotrade: Command, place: Path) -> None:
    (place / "strategies").write_text("a file")
    run = algotrade("new", "strategy", "my_idea")
    assert run.code == 3
    assert "cannot write" in run.err


def test_settings_are_shown_with_their_origin(algotrade: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "algotrade.toml").write_text("[defaults]\ncash = 5000\n")
    monkeypatch.setenv("ALGOTRADE_DATABASE", "postgresql://me:canary@host/db")
    run = algotrade("config", "show", "--origin")
    lines = [" ".join(line.split()) for line in run.out.splitlines()]
    assert "defaults.cash 5000.0 algotrade.toml:2" in lines
    assert 'defaults.symbol "BTC/USD" default' in lines
    assert 'store.database "postgresql://me:***@host/db" ALGOTRADE_DATABASE' in lines
    document = json.dumps(algotrade("config", "show", "--json").document)
    assert "canary" not in run.out + document


def test_the_keys_are_shown_even_when_the_file_is_broken(algotrade: Command, place: Path) -> None:
    (place / "algotrade.toml").write_text("[defaults\n")
    assert algotrade("config", "show").code == 3
    run = algotrade("config", "show", "--defaults")
    assert run.code == 0
    assert "risk.max_daily_loss" in run.out


def test_a_process_of_its_own_gives_the_same_answer(algotrade: Command, process: Command) -> None:
    assert process("list", "timeframes", "--json") == algotrade("list", "timeframes", "--json")
