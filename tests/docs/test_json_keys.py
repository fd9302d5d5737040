"""What every command prints with --json is what its published schema says: a promise to programs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from algotrade.cli.main import main
from algotrade.schemas import schema_files
from tests.published import check_document

TABLE = [
    # command, exit code, schema; in the order in which they are typed
    ("list runz", 2, "error"),
    ("fetch --exchange demo --start 2020-01-01 --end 2020-12-31", 0, "fetch"),
    ("fetch --funding --exchange binance --symbol BTC/USDT:USDT --from funding.csv --skip-bad", 0, "fetch_funding"),
    ("fetch --funding --exchange demo --exchange nowhere --symbol BTC/USDT:USDT", 2, "fetch_funding"),
    ("backtest --exchange demo --check none", 0, "backtest"),
    ("verify", 0, "verify"),
    ("evaluate", 0, "evaluate"),
    ("evaluate latest latest", 0, "comparison"),
    ("why 2020-06-01", 0, "why"),
    ("live --exchange demo --speed 60000 --bars 2", 0, "live"),
    ("replay", 0, "replay"),
    ("list exchanges", 0, "list_exchanges"),
    ("list markets --exchange demo", 0, "list_markets"),
    ("list timeframes --exchange demo", 0, "list_timeframes"),
    ("list strategies", 0, "list_strategies"),
    ("list data", 0, "list_data"),
    ("list data --gaps", 0, "list_gaps"),
    ("list data --revisions", 0, "list_revisions"),
    ("list data --quarantine", 0, "list_quarantine"),
    ("list data --proof", 0, "list_proof"),
    ("list runs", 0, "list_runs"),
    ("list sessions", 0, "list_sessions"),
    ("list schemas", 0, "list_schemas"),
    ("data export --to x.csv", 0, "data_export"),
    ("data import x.csv", 0, "data_import"),
    ("data verify", 0, "data_verify"),
    ("data drop --funding --yes", 0, "data_drop_funding"),
    ("data drop --yes", 0, "data_drop"),
    ("new strategy my_idea", 0, "new_strategy"),
    ("new project inner", 0, "new_project"),
    ("schedule fetch --every 4h --all-stored", 0, "schedule"),
    ("config show", 0, "config"),
]
# Objects with more in them: findings, failures of a part, what is null or empty elsewhere.
FULLER = [
    ("backtest --exchange demo --symbol ETH/USD --check full --end 2018-12-31", 0, "backtest"),
    ("evaluate", 0, "evaluate"),
    ("fetch --exchange demo --symbol ETH/USD --symbol NO/SUCH --start 2024-01-01", 2, "fetch"),
    (
        "fetch --exchange demo --symbol SOL/USD --timeframe 1m --start 2024-01-01 --end 2024-01-01T00:05 --via trades",
        0,
        "fetch",
    ),
    ("list data --proof", 0, "list_proof"),
    ("evaluate SESSION", 0, "evaluate"),
    ("live --exchange demo --bars 0", 2, "error"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project to stand in; nothing of the machine's own settings is seen."""
    for name in [name for name in os.environ if name.startswith("ALGOTRADE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "algotrade.toml").write_text("")
    (tmp_path / "funding.csv").write_text("time,rate\n2024-01-01T00:00:00.007Z,0.0001\n2024-01-01T08:00Z,2\n")
    monkeypatch.chdir(tmp_path)


Answers = Callable[[str], tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def answers(project: None, capsys: pytest.CaptureFixture[str]) -> Answers:
    """Run a command: the exit code and the objects that it printed, one, or a line each of `live`."""

    def run(command: str) -> tuple[int, list[dict[str, Any]]]:
        capsys.readouterr()
        code = main([*command.split(), "--json"])
        out = capsys.readouterr().out
        lines = out.splitlines() if command.startswith("live") else [out]
        return code, [json.loads(line) for line in lines]

    return run


def test_every_command_prints_what_its_schema_says(answers: Answers) -> None:
    seen = set()
    for typed, code, name in [*TABLE, *FULLER]:
        command = typed
        if "SESSION" in typed:
            _, (listed,) = answers("list sessions")
            command = typed.replace("SESSION", listed["sessions"][0]["session"])
        returned, documents = answers(command)
        assert (returned, {document["schema"] for document in documents}) == (code, {f"algotrade.{name}/1"}), command
        for document in documents:
            check_document(document)
        seen.add(f"algotrade.{name}/1")
    assert seen == set(schema_files())
