from __future__ import annotations

import pytest

from algotrade.errors import FixStrategy
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.feeding import refuse_unfed
from algotrade.strategy.marks import intervals_of


@pytest.mark.parametrize(
    ("event", "meant"),
    [
        ("candle", "candles"),
        ("Candles", "candles"),
        ("candel:4h", "candles:4h"),
        ("candle:4h", "candles:4h"),
        ("trade", "trades"),
        ("fill", "fills"),
        ("timers:1d", "timer:1d"),
        ("timer", "timer:1d"),
        ("bar", "candles"),
        ("ticks", "trades"),
        ("order", "fills"),
    ],
)
def test_a_name_that_is_nearly_an_event_is_an_error_with_a_suggestion(event: str, meant: str) -> None:
    with pytest.raises(FixStrategy, match=rf"@on\('{event}'\): no such event .*Did you mean '{meant}'\?"):
        on(event)


@pytest.mark.parametrize("event", ["candles:4x", "candles:", "timer:month", "timer:0h"])
def test_an_interval_that_is_none_is_an_error(event: str) -> None:
    with pytest.raises(FixStrategy, match=rf"@on\('{event}'\): '.*' is not a timeframe"):
        on(event)


@pytest.mark.parametrize("event", ["fills:1h", "a name", "", "quotes:1h"])
def test_what_can_be_no_name_is_an_error(event: str) -> None:
    with pytest.raises(FixStrategy, match="no such event"):
        on(event)


def test_a_mark_without_brackets_is_an_error() -> None:
    with pytest.raises(FixStrategy, match=r"@on takes the name of an event"):
        on(lambda self, candle: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["breakout", "candidates", "order_flow", "filter_changed", "regime"])
def test_any_other_word_is_a_name_for_events_of_ones_own(name: str) -> None:
    class Listens(Strategy):
        @on(name)
        def hear(self, told: object) -> None: ...

    assert Listens.handlers == {name: ("hear",)}


def test_the_timers_that_a_strategy_wants_are_told_the_longest_first() -> None:
    class Clocked(Strategy):
        @on("timer:1h")
        @on("timer:1w")
        def often(self, timer: object) -> None: ...

        @on("timer:1d")
        @on("timer:1h")
        def daily(self, timer: object) -> None: ...

    assert Clocked.timers() == Clocked().timers() == ("1w", "1d", "1h")
    assert Strategy.timers() == ()
    assert intervals_of(["candles:15m", "candles", "candles:1d", "timer:1h"], "candles") == ("1d", "15m")


# ---- what a run gives -----------------------------------------------------------------------------------------------
def listening_to(*events: str) -> Strategy:
    def hear(self: Strategy, event: object) -> None: ...

    for event in events:
        hear = on(event)(hear)
    return type("Listener", (Strategy,), {"hear": hear})()


@pytest.mark.parametrize(
    ("events", "fed"),
    [
        (["candles"], ["candles"]),
        (["candles:4h"], ["candles"]),
        (["candles", "fills", "regime"], ["candles"]),
        (["trades"], ["candles", "trades"]),
        (["timer:1d"], ["candles", "timer"]),
        (["regime"], ["candles", "emitted"]),
    ],
)
def test_a_strategy_that_hears_what_a_run_gives_is_accepted(events: list[str], fed: list[str]) -> None:
    refuse_unfed(listening_to(*events), fed)


@pytest.mark.parametrize("event", ["trades", "timer:1d"])
def test_a_method_that_would_never_be_called_is_refused(event: str) -> None:
    with pytest.raises(FixStrategy, match=f"listener.hear waits for '{event}', which this run does not give"):
        refuse_unfed(listening_to("candles", event), ["candles"])


@pytest.mark.parametrize("events", [[], ["fills"], ["regime"]])
def test_a_strategy_that_nothing_ever_begins_is_refused(events: list[str]) -> None:
    with pytest.raises(FixStrategy, match=r"never answers a candle.*needs @on\('candles'\)|answers 'regime' alone"):
        refuse_unfed(listening_to(*events), ["candles", "trades", "timer"])


def test_a_strategy_that_handles_events_in_its_own_way_is_accepted() -> None:
    class Own(Strategy):
        def handle(self, event, view):
            return []

    refuse_unfed(Own())
