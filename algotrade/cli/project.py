"""The files that `algotrade new project` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from algotrade.cli.scaffold import write_new, write_strategy
from algotrade.cli.timetable import DEFAULT_PERIOD, cron_line, errand, installing, systemd_service, systemd_timer
from algotrade.errors import FixCommand

STRATEGY_NAME: Final = "my_strategy"
PROJECT_FILE: Final = "algotrade.toml"
HINT: Final = "algotrade new project my-bot"

SETTINGS: Final = """\
# The settings of this project; `algotrade config show --origin` prints them all and where each came from.

[defaults]                    # what a command takes when its flag is not given
exchange = "kraken"
symbol = "BTC/USD"
strategy = "{strategy}"
# timeframe = "1d"
# cash = 10000.0
# fee = 0.0026                # fraction of each fill; else the market's own
# slippage = 0.0005           # fraction of the price

# What `algotrade fetch` brings when it is started without arguments, by you or by cron. There can be several.
[[fetch]]
symbol = ["BTC/USD", "ETH/USD"]
timeframe = ["1h", "1d"]
# exchange = "kraken"
# start = 2020-01-01          # else it goes on from what is stored, or begins with the newest candles
# via = "trades"              # make the candles from the public trades, where the exchange's own do not go back so far
# keep_trades = true          # and store those trades, too

# [costs]                     # besides fee and slippage; fractions
# maker_fee = 0.0016          # of orders that rested; else the market's own
# spread = 0.0002             # between bid and ask
# impact = 0.1                # by which an order as large as a bar's volume moves the price
# max_volume_share = 0.1      # of a bar's volume that orders fill at most
# latency_bars = 1            # opens that an order lets pass before it works
# latency_ms = 250            # the same in time, where finer candles or trades are walked along
# borrow_rate = 0.05          # of a short's value, a year
# maintenance_rate = 0.005    # with less margin a leveraged position is liquidated
# fee_in_base = false         # fees of buys are taken from what is bought
# schedule = [[0, 0.0025, 0.004], [50000, 0.002, 0.0035]]   # by volume of 30 days: maker, taker

# [risk]                      # an order that would break a limit is refused; one that only reduces always passes
# max_order_notional = 1000.0      # quote units
# max_position_notional = 5000.0
# max_daily_loss = 100.0
# max_drawdown = 0.2               # fraction of the highest equity; from then on positions are only reduced
# max_open_positions = 5           # symbols
# max_orders_per_minute = 10
# max_orders_per_day = 100
# cooldown_bars = 3                # after a losing round trip
# max_consecutive_losses = 4       # which lock their symbol
# lock_bars = 100                  # else for good

# [exchange.kraken.ccxt]      # handed to ccxt as it is; never a key or a secret
# timeout = 20000
"""
ENVIRONMENT: Final = """\
# Variables that algotrade reads, for what does not belong into algotrade.toml. Copy this to .env, which git ignores.
# The systemd service reads .env by itself; a shell does so with `set -a; . ./.env`; for cron, write them into the
# crontab. Market data and paper trading need no keys.

# ALGOTRADE_DATABASE_URL=postgresql://trader:password@localhost/algotrade
# ALGOTRADE_CONFIG=algotrade.toml
"""
IGNORED: Final = """\
.algotrade/
.env
*.log
__pycache__/
"""
CRONTAB: Final = """\
# Add this line to your crontab with `crontab -e`. Runs that overlap do no harm.
{line}
"""


class NewProject(NamedTuple):
    """A project that was started.

    Attributes:
        folder: absolute.
        written: its new files.
        kept: files that were there before and are left as they are.
        installing: the commands that start the systemd timer.
    """

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    installing: tuple[str, str]


def write_project(folder: Path) -> NewProject:
    """Write a project into a folder, over nothing that exists.

    Raises:
        FixCommand: there is a project already.
        FixConfiguration: the folder cannot be written.
    """
    folder = folder.expanduser().absolute()
    if _exists(folder / PROJECT_FILE):
        raise FixCommand(
            f"{folder / PROJECT_FILE} exists already and is left as it is", hint="algotrade new strategy my_idea"
        )
    work = errand(folder, ("fetch",), DEFAULT_PERIOD)
    units = folder / "systemd"
    texts = {
        folder / ".gitignore": IGNORED,
        folder / ".env.example": ENVIRONMENT,
        folder / "crontab.txt": CRONTAB.format(line=cron_line(work)),
        units / f"{work.unit}.service": systemd_service(work),
        units / f"{work.unit}.timer": systemd_timer(work),
    }
    kept = [path for path in texts if _exists(path)]
    written = [path for path in texts if path not in kept]
    for path in written:
        write_new(path, texts[path], HINT)
    strategy = folder / "strategies" / f"{STRATEGY_NAME}.py"
    if _exists(strategy):
        kept.append(strategy)
    else:
        written += write_strategy(STRATEGY_NAME, folder)[1:]
    write_new(folder / PROJECT_FILE, SETTINGS.format(strategy=STRATEGY_NAME), HINT)
    return NewProject(folder, (folder / PROJECT_FILE, *written), tuple(kept), installing(work, units))


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()
