"""Merging symbols as tables: what is known of each, and which events are certain. Times in minutes."""

from __future__ import annotations

import pytest

from algotrade.engine.events import BarOpened, CandleClosed, MarketEvent
from algotrade.live.merge import Bars, Known, Position, advanced, merged

MINUTE = 60_000
BTC, ETH = "BTC/USD", "ETH/USD"
PRICES = (100.0, 110.0, 90.0, 101.0, 1.0)


def known(now: float, *minutes: int, cut: int | None = None) -> Known:
    closed = [minute * MINUTE for minute in minutes if minute + 1 <= now]
    candles = {minute * MINUTE: PRICES for minute in minutes}
    return Known(candles, closed[-1] if closed else None, None if cut is None else cut * MINUTE)


def opened(symbol: str, minute: int, *, more: bool = False) -> BarOpened:
    return BarOpened(symbol, minute * MINUTE, 100.0, more)


def closed(symbol: str, minute: int, *, more: bool = False) -> CandleClosed:
    return CandleClosed(symbol, minute * MINUTE, *PRICES, more)


def both(minute: int) -> list[MarketEvent]:
    """A bar of both symbols, opened and closed together."""
    pair = [(BTC, True), (ETH, False)]
    return [event(symbol, minute, more=more) for event in (opened, closed) for symbol, more in pair]


@pytest.mark.parametrize(
    ("now", "btc", "eth", "events"),
    [
        pytest.param(10.1, (10,), (10,), both(10)[:2], id="both have opened"),
        pytest.param(10.1, (10,), (), [], id="one has opened, the other may at any moment"),
        pytest.param(10.25, (10,), (), [opened(BTC, 10)], id="the other has not in a quarter of a bar"),
        pytest.param(11.1, (10,), (10,), both(10), id="both have closed"),
        pytest.param(11.1, (10,), (10, 11), both(10), id="one has opened the next"),
        pytest.param(11.1, (10, 11), (11,), [], id="one's closed candle is not published yet"),
        pytest.param(
            11.25,
            (10, 11),
            (11,),
            [opened(BTC, 10), closed(BTC, 10), opened(BTC, 11, more=True), opened(ETH, 11)],
            id="and is none after the grace",
        ),
        pytest.param(
            12.1,
            (10, 11),
            (11,),
            [opened(BTC, 10), closed(BTC, 10), *both(11)],
            id="nor where a later one of its symbol has closed",
        ),
        pytest.param(13.5, (10, 11, 12), (10, 11, 12), [*both(10), *both(11), *both(12)], id="missed bars, in order"),
        pytest.param(
            13.5,
            (10, 12),
            (11,),
            [opened(BTC, 10), closed(BTC, 10), opened(ETH, 11), closed(ETH, 11), opened(BTC, 12), closed(BTC, 12)],
            id="bars in turn",
        ),
    ],
)
def test_moments_wait_until_each_symbol_has_its_bar_or_can_have_none(
    now: float, btc: tuple[int, ...], eth: tuple[int, ...], events: list[MarketEvent]
) -> None:
    positions = {BTC: Position(10 * MINUTE), ETH: Position(10 * MINUTE)}
    answers = {BTC: known(now, *btc), ETH: known(now, *eth)}
    assert merged(answers, positions, Bars(MINUTE, round(now * MINUTE))) == events


def test_what_lies_behind_the_end_of_an_answer_is_waited_for() -> None:
    positions = {BTC: Position(10 * MINUTE), ETH: Position(10 * MINUTE)}
    answers = {BTC: known(30, *range(10, 30)), ETH: known(30, 10, 12, cut=12)}
    events = merged(answers, positions, Bars(MINUTE, 30 * MINUTE))
    assert events == [*both(10), opened(BTC, 11), closed(BTC, 11), *both(12)]


def test_a_bar_that_another_symbol_has_left_behind_is_not_given_late() -> None:
    positions = {BTC: Position(10 * MINUTE), ETH: Position(10 * MINUTE)}
    for event in merged({BTC: known(11.3, 10), ETH: known(11.3)}, positions, Bars(MINUTE, round(11.3 * MINUTE))):
        positions = advanced(positions, event, MINUTE)
    assert positions == {BTC: Position(11 * MINUTE), ETH: Position(11 * MINUTE)}
    late = {BTC: known(11.5, 11), ETH: known(11.5, 10, 11)}
    assert merged(late, positions, Bars(MINUTE, round(11.5 * MINUTE))) == [opened(BTC, 11, more=True), opened(ETH, 11)]


def test_however_answers_are_cut_the_events_are_the_same() -> None:
    whole = {BTC: (10, 11, 13, 14, 15), ETH: (10, 12, 13, 15)}
    positions = {BTC: Position(10 * MINUTE), ETH: Position(10 * MINUTE)}
    at_once = merged({symbol: known(17, *bars) for symbol, bars in whole.items()}, positions, Bars(MINUTE, 17 * MINUTE))
    steps: list[MarketEvent] = []
    for tenth in range(100, 171):
        now = tenth / 10
        answers = {
            symbol: known(now, *(bar for bar in bars if positions[symbol].bar <= bar * MINUTE and bar <= now))
            for symbol, bars in whole.items()
        }
        for event in merged(answers, positions, Bars(MINUTE, round(now * MINUTE))):
            positions = advanced(positions, event, MINUTE)
            steps.append(event)
    assert steps == at_once
