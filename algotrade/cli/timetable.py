"""What starts a command by itself, as text: a line for cron, a service and a timer for systemd."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final, NamedTuple

from algotrade.errors import FixCommand
from algotrade.market.timeframe import timeframe_ms

MINUTE_MS: Final = 60_000
HOUR: Final = 60  # minutes
DAY: Final = 24 * HOUR
PERIODS: Final = ("1m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
DEFAULT_PERIOD: Final = "1h"
LOG: Final = "fetch.log"

SERVICE: Final = """\
[Unit]
Description=Fetch market data for {folder}

[Service]
Type=oneshot
WorkingDirectory={folder}
EnvironmentFile=-{folder}/.env
ExecStart={command}
StandardOutput=null
# 75: another run has the series, or the exchange asks for patience; the next run goes on from there.
SuccessExitStatus=75
"""
TIMER: Final = """\
[Unit]
Description=Fetch market data for {folder}

[Timer]
OnCalendar={calendar}
Persistent=true

[Install]
WantedBy=timers.target
"""


class Errand(NamedTuple):
    """What is to be done again and again.

    Attributes:
        folder: where, absolute.
        command: the program, absolute, and its arguments.
        every: minutes from one start to the next.
    """

    folder: Path
    command: tuple[str, ...]
    every: int

    @property
    def offset(self) -> int:
        """Minutes into the day of the first start: not everybody's at the full hour, and the same each time."""
        return int(hashlib.sha256(str(self.folder).encode()).hexdigest(), 16) % self.every

    @property
    def unit(self) -> str:
        """Name of the systemd units, without their ending."""
        readable = re.sub(r"[^a-z0-9]+", "-", self.folder.name.lower()).strip("-")
        return f"algotrade-{readable or 'fetch'}"


def errand(folder: Path, arguments: tuple[str, ...], period: str) -> Errand:
    """`algotrade` with the arguments, in a folder, once a period.

    Raises:
        FixCommand: not a period that cron can express.
    """
    if period not in PERIODS:
        raise FixCommand(
            f"--every is one of {', '.join(PERIODS)}, given '{period}'", hint="algotrade schedule fetch --every 1h"
        )
    return Errand(folder.absolute(), (*program(), *arguments), timeframe_ms(period) // MINUTE_MS)


def program() -> tuple[str, ...]:
    """This program by its absolute path: cron knows no other."""
    typed = shutil.which(sys.argv[0])
    for path in (Path(typed) if typed else None, Path(sys.executable).with_name("algotrade")):
        if path and path.name == "algotrade" and path.is_file():
            return (str(path.absolute()),)
    return (sys.executable, "-m", "algotrade")


def cron_line(work: Errand) -> str:
    """A line of a crontab. The table of results is thrown away; the log has a line a series, and what went wrong."""
    minute, hour = work.offset % HOUR, work.offset // HOUR
    if work.every < HOUR:
        when = f"{minute}-59/{work.every} *" if work.every > 1 else "* *"
    elif work.every == HOUR:
        when = f"{minute} *"
    else:
        when = f"{minute} {hour}-23/{work.every // HOUR}" if work.every < DAY else f"{minute} {hour}"
    command = f"cd {shlex.quote(str(work.folder))} && {shlex.join(work.command)} > /dev/null 2>> {LOG}"
    return f"{when} * * * {command}".replace("%", r"\%")  # cron takes a bare % for the end of the line


def systemd_service(work: Errand) -> str:
    """The service: one run."""
    return SERVICE.format(folder=_specified(str(work.folder)), command=" ".join(map(_word, work.command)))


def systemd_timer(work: Errand) -> str:
    """The timer; a run that was missed while the machine slept is made up for."""
    minute, hour = work.offset % HOUR, work.offset // HOUR
    if work.every < HOUR:
        calendar = f"*:{minute:02}/{work.every}"
    elif work.every == HOUR:
        calendar = f"*:{minute:02}"
    else:
        calendar = f"{hour:02}/{work.every // HOUR}:{minute:02}" if work.every < DAY else f"{hour:02}:{minute:02}"
    return TIMER.format(folder=_specified(str(work.folder)), calendar=calendar)


def installing(work: Errand, units: Path) -> tuple[str, str]:
    """The two commands that make systemd know the units in a folder, and start the timer."""
    service, timer = (shlex.quote(str(units / f"{work.unit}.{kind}")) for kind in ("service", "timer"))
    return f"systemctl --user link {service}", f"systemctl --user enable --now {timer}"


def _word(text: str) -> str:
    """A word of ExecStart, where quotes, $ and % mean something."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return _specified(f'"{quoted}"' if re.search(r"[^\w@%+=:,./-]", text) else quoted)


def _specified(text: str) -> str:
    return text.replace("%", "%%")
