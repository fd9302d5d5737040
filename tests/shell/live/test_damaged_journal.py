"""A journal that somebody or something has changed: a sentence, never a bug."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from algotrade.errors import FixData
from algotrade.live.results import session_result
from algotrade.live.sessions import find_session, replay_session, resume_session
from tests.shell.live.sessions import Project, new_project, plan, trade


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("kept"))
    asyncio.run(trade(project, plan(bars=2)))
    return project


def damaged(kept: Project, folder: Path, change: Callable[[sqlite3.Connection], object]) -> Path:
    path = folder / "damaged.sqlite"
    path.write_bytes(find_session(kept.sessions, "latest").read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        change(connection)
    return path


def readers(path: Path) -> list[Callable[[], object]]:
    return [
        lambda: replay_session(path),
        lambda: resume_session(path, plan(bars=2), [""]),
        lambda: session_result(path),
    ]


def without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda header: [header.pop(name) for name in names]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda header: header.clear(), "plan, ", id="empty"),
        pytest.param(without("first_bar"), "first_bar", id="without a field"),
        pytest.param(lambda header: header.update(plan=None), "plan", id="another kind of value"),
        pytest.param(lambda header: header["plan"].pop("cash"), "cash", id="without a field of the plan"),
        pytest.param(lambda header: header["plan"].update(extra=1), "extra", id="one more field in the plan"),
        pytest.param(lambda header: header["strategies"][0].pop("source"), "strategy.source", id="without the source"),
        pytest.param(lambda header: header["instruments"][0].clear(), "symbol", id="without the market"),
        pytest.param(lambda header: header.update(warm_up_candles=[[[1, 2]]]), "unpack", id="half a candle"),
        pytest.param(lambda header: header.update(warm_up_candles=[[7]]), "unpack", id="no candle"),
    ],
)
def test_a_damaged_header_is_bad_data(
    kept: Project, tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    def write(connection: sqlite3.Connection) -> None:
        header = json.loads(connection.execute("SELECT document FROM header").fetchone()[0])
        change(header)
        connection.execute("UPDATE header SET document = ?", [json.dumps(header)])

    for reader in readers(damaged(kept, tmp_path, write)):
        with pytest.raises(FixData, match=f"damaged, its header cannot be read: .*{said}"):
            reader()


@pytest.mark.parametrize("body", ["", "null", "7", "{}", "[", '{"symbol":"BTC/USD","time":"noon","open":1.0}'])
def test_a_damaged_row_is_bad_data(kept: Project, tmp_path: Path, body: str) -> None:
    path = damaged(
        kept,
        tmp_path,
        lambda connection: connection.execute("UPDATE journal SET body = ? WHERE name = 'BarOpened'", [body]),
    )
    for reader in (lambda: replay_session(path), lambda: session_result(path)):
        with pytest.raises(FixData, match=r"BarOpened.* cannot be read"):
            reader()
