"""The states of a session and the one table of what leads from one to another."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from algotrade.errors import AlgotradeError


class State(StrEnum):
    """What a session is doing."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    DEGRADED = "DEGRADED"  # the feed fails; it is tried again
    HALTED = "HALTED"  # the strategy is not asked any more; the feed goes on
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


TRANSITIONS: Final = MappingProxyType(
    {
        State.STARTING: frozenset({State.RUNNING, State.DEGRADED, State.HALTED, State.STOPPING}),
        State.RUNNING: frozenset({State.DEGRADED, State.HALTED, State.STOPPING}),
        State.DEGRADED: frozenset({State.RUNNING, State.HALTED, State.STOPPING}),
        State.HALTED: frozenset({State.STOPPING}),
        State.STOPPING: frozenset({State.STOPPED}),
        State.STOPPED: frozenset(),
    }
)


def move(state: State, to: State) -> State:
    """The next state; staying where one is always allowed.

    Raises:
        AlgotradeError: the table does not lead there.
    """
    if to is not state and to not in TRANSITIONS[state]:
        raise AlgotradeError(f"a session cannot go from {state} to {to}")
    return to
