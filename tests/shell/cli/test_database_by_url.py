"""`--database` and ALGOTRADE_DATABASE_URL with a PostgreSQL server; the password is seen nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgresql import PASSWORD
from tests.shell.cli.conftest import Command, Run

CANARY = "kn4ry"
UNREACHABLE = f"postgresql://me:{CANARY}@127.0.0.1:1/x"


def everything_said(run: Run, place: Path) -> str:
    """Both streams and every file that the command left behind."""
    files = [path.read_text(errors="replace") for path in place.parent.rglob("*") if path.is_file()]
    return "".join([run.out, run.err, *files])


@pytest.mark.parametrize("flags", [(), ("--json",), ("--debug",), ("--verbose",)])
@pytest.mark.parametrize(
    ("url", "code"),
    [
        (UNREACHABLE, 69),
        (f"postgresql://me:{CANARY}@127.0.0.1:1/x?sslmode={CANARY}", 3),
        (f"postgresql://me:a@{CANARY}@127.0.0.1:1/x", 3),
        (f"postgresql://me:{CANARY}", 3),
        (f"mysql://me:{CANARY}@127.0.0.1/x", 3),
        (f"postgresql://me:{CANARY}@127.0.0.1:1/x?{'a=b&' * 2000}", 2),
    ],
)
def test_a_database_out_of_reach_is_a_sentence_without_the_password(
    algotrade: Command, place: Path, flags: tuple[str, ...], url: str, code: int
) -> None:
    run = algotrade("list", "data", "--database", url, *flags)
    assert run.code == code
    assert run.out if "--json" in flags else "error: " in run.err
    assert CANARY not in everything_said(run, place)


def test_a_bug_is_reported_without_the_password(
    algotrade: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_location: str) -> None:
        raise RuntimeError(f"no way to {UNREACHABLE}")

    monkeypatch.setattr("algotrade.store.database.open_database", fail)
    for flags in ((), ("--debug",), ("--json",)):
        run = algotrade("list", "data", "--database", UNREACHABLE, *flags)
        assert run.code == 1
        assert "postgresql://me:***@127.0.0.1:1/x" in run.out + run.err
        assert CANARY not in everything_said(run, place)


def test_a_run_is_made_and_judged_in_a_database_on_a_server(
    algotrade: Command, place: Path, postgresql_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALGOTRADE_DATABASE_URL", postgresql_location)
    fetched = algotrade("fetch", "--exchange", "demo", "--symbol", "BTC/USD", "--timeframe", "1d")
    assert fetched.code == 0, fetched.err
    made = algotrade("backtest", "--exchange", "demo", "--json")
    assert made.code == 0, made.err
    assert [row["symbol"] for row in algotrade("list", "data", "--json").document["data"]] == ["BTC/USD"]
    judged = algotrade("evaluate", "latest", "--json")
    assert judged.code == 0, judged.err
    assert judged.document["summary"] == made.document["summary"]
    assert not list(place.rglob("*.db")), "nothing is kept in a file beside it"
    assert PASSWORD not in everything_said(judged, place)
