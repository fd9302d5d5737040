"""The one door through which exchanges are opened, by name. What is behind it is imported when it is opened."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from algotrade.errors import FixCommand, FixConfiguration
from algotrade.exchange.base import ATTEMPTS, DEMO, TIMEOUT_S, Exchange, Stream, steady_clock, system_ms


def exchange_names() -> list[str]:
    """Every name that `open_exchange` knows, the demo exchange first. Loads ccxt."""
    from algotrade.exchange.ccxt_client import ccxt_names

    return [DEMO, *ccxt_names()]


def names_without_loading() -> list[str]:
    """The same names from the files of ccxt, each of which is an exchange: half a second sooner than an import."""
    package = importlib.util.find_spec("ccxt")
    folder = Path(package.origin).parent if package and package.origin else Path()
    return [DEMO, *sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")]


def open_exchange(
    name: str,
    *,
    options: Mapping[str, Any] | None = None,
    clock: Callable[[], int] | None = None,
    timeout_s: float = TIMEOUT_S,
    attempts: int = ATTEMPTS,
) -> Exchange:
    """An exchange by its name. Connects to nothing yet.

    Args:
        name: "demo", or a name that ccxt knows.
        options: for ccxt's constructor, from [exchange.NAME.ccxt] of algotrade.toml.
        clock: the demo exchange's time; for others a local clock, against which theirs is measured. Without one, this
            machine's; for others as it stands now, so that nobody who sets it moves theirs.
        timeout_s: seconds after which a call is given up, all its attempts together.
        attempts: how often a call is made when the network fails or the exchange asks for patience.

    Raises:
        FixCommand: no exchange of that name.
        FixConfiguration: an option is unknown, or would repeat orders.
    """
    if name == DEMO:
        from algotrade.exchange.demo import DemoExchange

        if options:
            raise FixConfiguration("[exchange.demo.ccxt] means nothing: the demo exchange is not one of ccxt's")
        return DemoExchange(clock or system_ms)
    from algotrade.exchange.ccxt_client import make_client
    from algotrade.exchange.ccxt_rest import CcxtExchange

    steady = clock or steady_clock()
    return CcxtExchange(make_client(name, options or {}), clock=steady, timeout_s=timeout_s, attempts=attempts)


def open_stream(name: str, *, options: Mapping[str, Any] | None = None) -> Stream:
    """The websocket of an exchange, by the exchange's name. Connects to nothing yet.

    Args:
        name: a name that ccxt knows.
        options: for ccxt's constructor, from [exchange.NAME.ccxt] of algotrade.toml.

    Raises:
        FixCommand: there is no exchange of that name, or it has no stream.
        FixConfiguration: an option is unknown.
    """
    if name == DEMO:
        raise FixCommand("the demo exchange has no stream: it has nothing to wait for", hint="algotrade fetch -h")
    from algotrade.exchange.ccxt_stream import CcxtStream

    return CcxtStream(name, options or {})
