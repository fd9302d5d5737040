"""Ctrl-C and SIGTERM while something is under way: the first asks it to end well, the second ends it at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from algotrade.errors import ExitCode

SIGNALS: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class Stopping(asyncio.Event):
    """Set by a signal.

    Attributes:
        exit_code: what the command returns: DONE until a signal came.
    """

    exit_code = ExitCode.DONE


@contextmanager
def stopping_on_signals() -> Iterator[Stopping]:
    """An event that the first signal sets. Within a running event loop; outside the main thread nothing sets it."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopping.exit_code is not ExitCode.DONE:
            raise KeyboardInterrupt
        stopping.exit_code = SIGNALS[signal.Signals(number)]
        loop.call_soon_threadsafe(stopping.set)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
