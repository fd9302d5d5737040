"""`new project` and `schedule`: files that work as they are, under cron as it really starts things."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from algotrade.cli.timetable import PERIODS, Errand, cron_line, errand, installing, systemd_service, systemd_timer
from algotrade.errors import FixCommand

Command = Callable[..., Any]
ROOT = Path(__file__).parents[3]
DEMO_ENTRY = '[[fetch]]\nexchange = "demo"\nsymbol = ["BTC/USD", "ETH/USD"]\nstart = 2024-01-01\n'


@pytest.fixture
def project(algotrade: Command, place: Path) -> Path:
    """A new project in a folder whose name a shell would take apart, fetching from the demo exchange."""
    folder = place.parent / "my bot's 100%"
    run = algotrade("new", "project", str(folder))
    assert run.code == 0, run.err
    (folder / "algotrade.toml").write_text(DEMO_ENTRY)
    return folder


def cron_command(project: Path) -> str:
    """The command of the project's crontab line, as cron hands it to the shell."""
    (line,) = [text for text in (project / "crontab.txt").read_text().splitlines() if not text.startswith("#")]
    return line.split(" ", 5)[5].replace(r"\%", "%")


def start_by_cron(project: Path) -> subprocess.Popen[str]:
    """As cron does: /bin/sh, another folder, hardly an environment. PYTHONPATH stands in for an installed program."""
    bare = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(project.parent)}
    return subprocess.Popen(["/bin/sh", "-c", cron_command(project)], cwd="/", env=bare, text=True)


def lines_of(project: Path) -> list[str]:
    return [line.split(" ", 1)[1] for line in (project / "fetch.log").read_text().splitlines() if "+" in line]


def added(project: Path) -> list[int]:
    return [int(line.split("+")[1].split(" ")[0]) for line in lines_of(project)]


def test_a_new_project_has_what_it_needs(project: Path) -> None:
    names = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert names >= {
        "algotrade.toml", ".env.example", ".gitignore", "crontab.txt", "strategies/my_strategy.py",
        "tests/test_my_strategy.py", "systemd/algotrade-my-bot-s-100.service", "systemd/algotrade-my-bot-s-100.timer",
    }  # fmt: skip


def test_the_settings_of_a_new_project_are_read_and_name_its_strategy(
    algotrade: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    algotrade("new", "project", "bot")
    monkeypatch.chdir(place / "bot")
    found = {row["setting"]: row["value"] for row in algotrade("config", "show", "--json").document["settings"]}
    assert found["fetch.0.symbol"] == ["BTC/USD", "ETH/USD"]
    assert found["fetch.0.timeframe"] == ["1h", "1d"]
    assert found["defaults.strategy"] == "my_strategy"
    run = algotrade("backtest", "--exchange", "demo", "--json")
    assert (run.code, run.document["strategy"]["name"]) == (0, "my_strategy")


def test_every_commented_setting_of_a_new_project_can_be_switched_on(
    algotrade: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    algotrade("new", "project", "bot")
    file = place / "bot" / "algotrade.toml"
    lines = file.read_text().splitlines()
    switched = [
        line.removeprefix("# ") if line[2:].split(" ")[0].isidentifier() and " = " in line else line for line in lines
    ]
    switched = [line.removeprefix("# ") if line.startswith("# [") else line for line in switched]
    assert switched != lines
    file.write_text("\n".join(switched))
    monkeypatch.chdir(file.parent)
    run = algotrade("config", "show", "--json")
    assert run.code == 0, run.out
    found = {row["setting"]: row["origin"] for row in run.document["settings"]}
    sections = ("defaults.", "costs.", "risk.")
    assert "fetch.0.via" in found
    assert not [key for key, origin in found.items() if key.startswith(sections) and origin == "default"]


def test_nothing_is_overwritten(algotrade: Command, place: Path) -> None:
    (place / "bot" / "strategies").mkdir(parents=True)
    for name in (".gitignore", "strategies/my_strategy.py"):
        (place / "bot" / name).write_text("mine")
    run = algotrade("new", "project", "bot", "--json")
    assert (run.code, len(run.document["kept"])) == (0, 2)
    assert (place / "bot" / ".gitignore").read_text() == "mine"
    assert (place / "bot" / "strategies" / "my_strategy.py").read_text() == "mine"
    before = (place / "bot" / "algotrade.toml").read_text()
    again = algotrade("new", "project", "bot")
    assert again.code == 2
    assert "exists already" in again.err
    assert (place / "bot" / "algotrade.toml").read_text() == before


def test_the_crontab_line_fetches_all_and_a_second_run_adds_nothing(project: Path) -> None:
    assert start_by_cron(project).wait(60) == 0
    assert len(added(project)) == 2
    assert min(added(project)) > 365
    assert all("complete to" in line for line in lines_of(project))
    assert start_by_cron(project).wait(60) == 0
    assert added(project)[2:] == [0, 0]


def test_crontab_lines_that_run_at_the_same_time_lose_nothing(project: Path) -> None:
    codes = sorted(process.wait(60) for process in [start_by_cron(project) for _ in range(3)])
    assert set(codes) <= {0, 75}
    assert start_by_cron(project).wait(60) == 0
    assert all("complete to" in line for line in lines_of(project)[-2:])
    assert added(project)[-2:] == [0, 0]


# ---- texts ----------------------------------------------------------------------------------------------------------
WORK = Errand(Path("/home/me/bot"), ("/opt/algotrade", "fetch"), 60)


def minutes_of(field: str, above: int) -> set[int]:
    """The values that a field of a crontab stands for."""
    span, _, step = field.partition("/")
    low, _, high = ("0-59" if span == "*" else span).partition("-")
    return set(range(int(low), min(int(high or low), above) + 1, int(step or 1)))


@pytest.mark.parametrize("period", PERIODS)
def test_a_crontab_line_strikes_as_often_as_it_was_asked_to(period: str) -> None:
    work = errand(Path("/home/me/bot"), ("fetch",), period)
    minute, hour, *others = cron_line(work).split(" ")[:5]
    hours = range(24) if hour == "*" else minutes_of(hour, 23)
    assert others == ["*", "*", "*"]
    assert len(minutes_of(minute, 59)) * len(hours) == 24 * 60 // work.every


def test_projects_do_not_all_ask_at_the_full_hour() -> None:
    offsets = {WORK._replace(folder=Path(f"/home/{number}/bot")).offset for number in range(50)}
    assert len(offsets) > 25
    assert max(offsets) < 60


def test_an_unknown_period_is_refused() -> None:
    with pytest.raises(FixCommand, match="--every is one of 1m, 5m"):
        errand(Path("/home/me/bot"), (), "7m")


def test_a_percent_sign_does_not_end_the_crontab_line() -> None:
    assert r"/100\% mine" in cron_line(WORK._replace(folder=Path("/100% mine")))


def test_a_unit_takes_the_folder_as_it_is() -> None:
    work = WORK._replace(folder=Path("/home/me/my bot %h"), command=("/opt/my bin/algotrade", "fetch", "a$b"))
    service = systemd_service(work)
    assert "WorkingDirectory=/home/me/my bot %%h\n" in service
    assert 'ExecStart="/opt/my bin/algotrade" fetch "a$$b"\n' in service
    assert "Persistent=true" in systemd_timer(work)
    assert work.unit == "algotrade-my-bot-h"


def test_two_commands_install_the_timer() -> None:
    assert installing(WORK, Path("/home/me/bot/systemd")) == (
        "systemctl --user link /home/me/bot/systemd/algotrade-bot.service",
        "systemctl --user enable --now /home/me/bot/systemd/algotrade-bot.timer",
    )


def test_what_is_scheduled_is_tried_first(algotrade: Command) -> None:
    run = algotrade("schedule", "fetch", "--every", "15m", "--all-stored", "--quiet", "--json")
    assert run.code == 0
    document = json.loads(run.out)
    assert document["command"][1:] == ["fetch", "--all-stored", "--quiet"]
    wrong = algotrade("schedule", "fetch", "--al-stored")
    assert (wrong.code, wrong.hint) == (2, "algotrade fetch -h")
    assert "Did you mean '--all-stored'?" in wrong.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--start", "foo"], "'foo' is not a date or time"),
        (["--start", "2024-01-02", "--end", "2024-01-01"], "before it starts"),
        (["--symbol", "BTC USD"], "'BTC USD' is not a symbol"),
        (["--timeframe", "1x"], "'1x' is not a timeframe"),
        (["--via", "trade"], "Did you mean 'trades'?"),
        (["--all-stored", "--end", "2024-01-01"], "leave out --end"),
        (["--from", "x.csv", "--repair"], "leave out --repair"),
    ],
)
def test_what_fetch_would_refuse_is_not_scheduled(algotrade: Command, typed: list[str], said: str) -> None:
    run = algotrade("schedule", "fetch", *typed)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


def test_what_is_to_be_pasted_is_not_wrapped_by_a_terminal(algotrade: Command, terminal: Callable[..., str]) -> None:
    typed = ("schedule", "fetch", "--symbol", "BTC/USD", "--timeframe", "1m", "--start", "2024-01-01", "--quiet")
    document = algotrade(*typed, "--json").document
    lines = terminal(*typed).splitlines()
    (cron,) = [line for line in lines if " * * * cd " in line]
    assert cron.partition(" fetch ")[2] == document["cron"].partition(" fetch ")[2]
    assert len(cron) > 80
    assert [line for line in lines if line.startswith("ExecStart=") and line.endswith(" --quiet")]
    started = terminal("new", "project", "a-folder-with-a-name-that-does-not-fit-into-the-line-of-a-narrow-terminal")
    assert [line for line in started.splitlines() if "systemctl" in line and line.endswith(".timer")]


def test_the_command_to_type_next_is_not_wrapped_by_a_terminal(terminal: Callable[..., str]) -> None:
    hint = terminal("fetch", "--start", "yesterday", columns=60).splitlines()[-1]
    assert hint == "try: algotrade fetch --symbol BTC/USD --start 2024-01-01 --end 2024-12-31"


def test_a_password_does_not_get_into_a_crontab(algotrade: Command) -> None:
    run = algotrade("schedule", "fetch", "--database", "postgresql://me:hush@localhost/x")
    assert run.code == 77
    assert "hush" not in run.out + run.err
    assert "set ALGOTRADE_DATABASE_URL where" in run.err


def test_the_program_is_named_by_its_path() -> None:
    first = Path(WORK._replace(command=errand(Path("/x"), (), "1h").command).command[0])
    assert first.is_absolute()
    assert first.is_file()
    assert first.name == "algotrade" or first == Path(sys.executable)
