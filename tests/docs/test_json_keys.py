"""The keys of every command's JSON object are a promise to programs: changing one here is changing the schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RUN = (
    "run data strategy costs limits instrument calendar summary buy_and_hold checks round_trips open_position fills"
    " targets equity_hash rejections versions warnings"
)
SERIES = "exchange symbol timeframe origin"
DEPTH = "by_month by_year drawdowns round_trip_distribution break_even_fee"
TABLE = [
    # command, exit code, schema, the other keys; in the order in which they are typed
    ("list runz", 2, "algotrade.error/1", "error"),
    ("fetch --exchange demo --start 2020-01-01 --end 2020-12-31", 0, "algotrade.fetch/1", "series skipped"),
    ("backtest --exchange demo --check none", 0, "algotrade.backtest/1", RUN),
    ("verify", 0, "algotrade.verify/1", "run same changed bars fills versions_changed revised blocks checks figures"),
    ("evaluate", 0, "algotrade.evaluate/1", f"{RUN} {DEPTH}"),
    ("evaluate latest latest", 0, "algotrade.comparison/1", "a b"),
    ("why 2020-06-01", 0, "algotrade.why/1", "bar simulated title answer saw wanted did fills"),
    ("list exchanges", 0, "algotrade.list_exchanges/1", "exchanges"),
    ("list markets --exchange demo", 0, "algotrade.list_markets/1", "markets"),
    ("list timeframes --exchange demo", 0, "algotrade.list_timeframes/1", "timeframes"),
    ("list strategies", 0, "algotrade.list_strategies/1", "strategies"),
    ("list data", 0, "algotrade.list_data/1", "data"),
    ("list data --gaps", 0, "algotrade.list_gaps/1", "series"),
    ("list data --revisions", 0, "algotrade.list_revisions/1", "revisions"),
    ("list data --quarantine", 0, "algotrade.list_quarantine/1", "quarantine"),
    ("list data --proof", 0, "algotrade.list_proof/1", "series"),
    ("list runs", 0, "algotrade.list_runs/1", "runs"),
    ("list sessions", 0, "algotrade.list_sessions/1", "sessions"),
    ("data export --to x.csv", 0, "algotrade.data_export/1", f"{SERIES} candles first last hash file"),
    ("data import x.csv", 0, "algotrade.data_import/1", f"{SERIES} candles added unchanged revised first last"),
    ("data verify", 0, "algotrade.data_verify/1", "same database series"),
    ("data drop --yes", 0, "algotrade.data_drop/1", f"{SERIES} removed again"),
    ("new strategy my_idea", 0, "algotrade.new_strategy/1", "strategy files next"),
    ("new project inner", 0, "algotrade.new_project/1", "folder files kept next systemd"),
    ("schedule fetch --every 4h --all-stored", 0, "algotrade.schedule/1", "folder command cron service timer"),
    ("config show", 0, "algotrade.config/1", "settings places"),
]
DATA = "exchange symbol timeframe origin start end bars gaps gap_kinds resampled_from left_out simulated hash"
SUMMARY = (
    "final_equity total_return annual_return annual_volatility sharpe sortino max_drawdown calmar round_trips win_rate"
    " exposure fees_paid buy_and_hold_return"
)
FETCHED = "exchange symbol timeframe origin added unchanged revised gaps first last complete note error proof"
PROOF = "unbroken trades chains comparison"
CHAIN = "start last broken_after trades kept pages first_cursor last_cursor"
COMPARISON = "equal different only_made only_official first_difference"
ROUND_TRIP = "entry_time entry_price exit_time exit_price side quantity profit return bars fees exit_reason"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "algotrade.toml").write_text("")
    return folder


def answer(project: Path, command: str) -> tuple[int, dict[str, Any]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALGOTRADE_")}
    done = subprocess.run(
        [sys.executable, "-m", "algotrade", *command.split(), "--json"],
        check=False, cwd=project, capture_output=True, text=True, timeout=60,
        env={**kept, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(project)},
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_every_command_prints_one_object_with_its_published_keys(project: Path) -> None:
    for command, code, schema, keys in TABLE:
        returned, document = answer(project, command)
        assert (returned, document["schema"]) == (code, schema), command
        assert set(document) == {"schema", *keys.split()}, command


def test_the_parts_of_a_run_have_their_published_keys(project: Path) -> None:
    _, document = answer(project, "backtest --exchange demo --symbol ETH/USD --check full --end 2018-12-31")
    assert set(document["data"]) == set(DATA.split())
    assert set(document["summary"]) == set(document["buy_and_hold"]) == set(SUMMARY.split())
    assert set(document["round_trips"][0]) == set(ROUND_TRIP.split())
    assert set(document["strategy"]) == {"name", "class", "file", "parameters", "hash", "warmup"}
    assert set(document["costs"]) == {"fee_rate", "slippage_rate", "cash", "leverage", "allow_short"}
    assert set(document["checks"]) == {"look_ahead", "warm_up", "purity", "range"}
    assert {frozenset(check) for check in document["checks"].values()} == {
        frozenset({"passed", "covered", "total", "detail"})
    }


def test_the_series_of_a_fetch_have_their_published_keys(project: Path) -> None:
    _, document = answer(project, "fetch --exchange demo --symbol ETH/USD --symbol NO/SUCH --start 2024-01-01")
    assert [set(series) for series in document["series"]] == [set(FETCHED.split())] * 2


def test_a_proof_has_its_published_keys(project: Path) -> None:
    span = "--symbol SOL/USD --timeframe 1m --start 2024-01-01 --end 2024-01-01T00:05"
    _, document = answer(project, f"fetch --exchange demo {span} --via trades")
    proof = document["series"][0]["proof"]
    _, listed = answer(project, "list data --proof")
    assert [set(series) for series in listed["series"]] == [{*SERIES.split(), *PROOF.split()}]
    assert set(proof) == set(PROOF.split())
    assert {frozenset(chain) for chain in proof["chains"]} == {frozenset(CHAIN.split())}
    assert set(listed["series"][0]["comparison"]) == set(COMPARISON.split())
