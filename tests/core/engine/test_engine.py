from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from algotrade.engine.account import View
from algotrade.engine.engine import Engine
from algotrade.engine.events import (
    BarOpened,
    Cancel,
    CandleClosed,
    Decided,
    Denied,
    Event,
    OpenRevised,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    StrategyStopped,
    Submit,
    TimerStruck,
    TradePrinted,
)
from algotrade.engine.orders import ImpossibleTransition
from algotrade.engine.requests import CancelRequest, OrderRequest, ReplaceRequest, Request, TargetRequest
from algotrade.engine.risk import Limits
from algotrade.errors import FixStrategy

BTC, ETH = "BTC/USD", "ETH/USD"
HOUR = 3_600_000


class Asks:
    """A decider that answers the n-th event it is shown with the n-th list of requests."""

    def __init__(self, *answers: list[Request]) -> None:
        self.answers = list(answers)
        self.shown: list[tuple[Event, View]] = []

    def handle(self, event: Event, view: View) -> list[Request]:
        self.shown.append((event, view))
        return self.answers.pop(0) if self.answers else []


def candle(bar: int = 0, close: float = 100.0, symbol: str = BTC) -> CandleClosed:
    return CandleClosed(symbol, bar * HOUR, close, close, close, close, 1.0)


def sent(engine: Engine, event: Event) -> list[str]:
    return [effect.order.order_id for effect in engine.process(event) if isinstance(effect, Submit)]


def test_a_closed_candle_is_answered_with_what_was_decided_and_the_account_at_its_close() -> None:
    engine = Engine(Asks([TargetRequest(BTC, 0.5)]), cash=1_000)
    submit, decided = engine.process(candle())
    assert isinstance(submit, Submit)
    assert (submit.order.exposure, submit.order.side, submit.order.time) == (0.5, 0, 0)
    assert decided == Decided(BTC, 0, 0.5, "trade", 0.0, 1_000.0, 1_000.0)


def test_a_first_target_of_zero_is_in_force_and_sends_nothing() -> None:
    (decided,) = Engine(Asks([TargetRequest(BTC, 0.0)]), cash=1_000).process(candle())
    assert decided == Decided(BTC, 0, 0.0, "hold", 0.0, 1_000.0, 1_000.0)


def test_a_strategy_that_asks_for_nothing_holds() -> None:
    decided = Engine(Asks(), cash=1_000).process(candle())[-1]
    assert isinstance(decided, Decided)
    assert decided.action == "hold"
    assert math.isnan(decided.exposure)


def test_the_strategy_never_sees_a_bar_open_and_sees_the_rest() -> None:
    asks = Asks()
    engine = Engine(asks, cash=1_000)
    shown = [
        candle(0),
        TradePrinted(BTC, 1, 101.0, 1.0, +1),
        TimerStruck("hourly", 2),
    ]
    for event in (BarOpened(BTC, 0, 99.0), OpenRevised(BTC, 0, 98.0), *shown):
        engine.process(event)
    assert [event for event, _ in asks.shown] == shown


def test_every_price_marks_the_account() -> None:
    engine = Engine(Asks([OrderRequest(BTC, +1, quantity=2.0)]), cash=1_000)
    (identity,) = sent(engine, candle())
    engine.process(OrderFilled(identity, BTC, HOUR, +1, 2.0, 100.0, 1.0))
    for event, equity in (
        (BarOpened(BTC, HOUR, 110.0), 1_019.0),
        (OpenRevised(BTC, HOUR, 120.0), 1_039.0),
        (TradePrinted(BTC, HOUR, 130.0, 1.0, -1), 1_059.0),
        (candle(1, 90.0), 979.0),
    ):
        engine.process(event)
        assert engine.account.equity() == equity


def test_a_revised_open_leaves_the_fill_as_it_was() -> None:
    asks = Asks([TargetRequest(BTC, 1.0)])
    engine = Engine(asks, cash=1_000)
    (identity,) = sent(engine, candle())
    engine.process(OrderFilled(identity, BTC, HOUR, +1, 10.0, 100.0, 0.0))
    assert engine.process(OpenRevised(BTC, HOUR, 50.0)) == []
    assert (engine.account.cash, engine.account.position(BTC)) == (0.0, 10.0)


def test_a_fill_is_shown_with_the_account_after_it_and_may_be_answered() -> None:
    asks = Asks([OrderRequest(BTC, +1, quantity=2.0)], [OrderRequest(BTC, -1, quantity=1.0)])
    engine = Engine(asks, cash=1_000)
    (identity,) = sent(engine, candle())
    (effect,) = engine.process(OrderFilled(identity, BTC, HOUR, +1, 2.0, 100.0, 5.0))
    view = asks.shown[-1][1]
    assert (view.cash, view.position(BTC), view.equity, view.entry_price(BTC)) == (795.0, 2.0, 995.0, 100.0)
    assert isinstance(effect, Submit)
    assert (effect.order.side, effect.order.quantity, effect.order.time) == (-1, 1.0, HOUR)


def test_every_order_has_an_id_of_its_own_even_when_times_go_back_and_forth() -> None:
    buy: list[Request] = [OrderRequest(BTC, +1, quantity=1.0), OrderRequest(BTC, +1, quantity=1.0)]
    engine = Engine(Asks(*[buy] * 6), cash=1_000)
    events = [
        candle(0),
        TradePrinted(BTC, HOUR, 100.0, 1.0, +1),
        candle(0),
        TradePrinted(BTC, HOUR, 100.0, 1.0, +1),
        candle(1),
        candle(0, symbol=ETH),
    ]
    identities = [identity for event in events for identity in sent(engine, event)]
    assert len(set(identities)) == len(identities) == 12


@pytest.mark.parametrize(
    "happened",
    [
        lambda identity: OrderAccepted(identity, 1),
        lambda identity: OrderRejected(identity, 1, "nothing_to_sell"),
        lambda identity: OrderCancelled(identity, 1),
        lambda identity: OrderFilled(identity, BTC, 1, +1, 1.0, 100.0, 0.0),
    ],
)
def test_news_of_an_order_that_was_never_sent_is_a_bug_or_a_lost_event(happened: Callable[[str], Event]) -> None:
    engine = Engine(Asks(), cash=1_000)
    with pytest.raises(ImpossibleTransition, match="nobody#1"):
        engine.process(happened("nobody#1"))
    assert engine.account.positions == {}


@pytest.mark.parametrize("request_", [OrderRequest(BTC, +1, quantity=1.0), TargetRequest(BTC, 1.0)])
def test_no_order_fills_twice(request_: Request) -> None:
    engine = Engine(Asks([request_]), cash=1_000)
    (identity,) = sent(engine, candle())
    fill = OrderFilled(identity, BTC, 1, +1, 1.0, 100.0, 0.0)
    engine.process(fill)
    with pytest.raises(ImpossibleTransition):
        engine.process(fill)
    assert engine.account.position(BTC) == 1.0


def test_orders_work_until_they_are_done_and_are_then_forgotten() -> None:
    engine = Engine(Asks([OrderRequest(BTC, +1, quantity=float(n)) for n in (1, 2, 3, 4)]), cash=1_000)
    first, second, third, fourth = sent(engine, candle())
    engine.process(OrderAccepted(first, 0))
    engine.process(OrderFilled(second, BTC, HOUR, +1, 2.0, 100.0, 0.0))
    engine.process(OrderRejected(third, HOUR, "insufficient_funds"))
    assert [order.order_id for order in engine.working_orders()] == [first, fourth]
    assert list(engine.book.orders) == [first, fourth]


def test_a_long_run_of_targets_keeps_one_order_in_mind() -> None:
    engine = Engine(Asks(*[[TargetRequest(BTC, float(bar % 2))] for bar in range(1, 50)]), cash=1_000)
    for bar in range(49):
        for identity in sent(engine, candle(bar)):
            engine.process(OrderRejected(identity, bar * HOUR, "below_min_notional"))
    assert len(engine.book.orders) == 1


def test_the_same_target_sends_nothing_while_its_order_works_or_is_refused() -> None:
    engine = Engine(Asks(*[[TargetRequest(BTC, 1.0)]] * 4), cash=1_000)
    (identity,) = sent(engine, candle(0))
    assert sent(engine, candle(1)) == []
    engine.process(OrderAccepted(identity, HOUR))
    assert sent(engine, candle(2)) == []
    engine.process(OrderRejected(identity, 2 * HOUR, "below_min_notional"))
    assert sent(engine, candle(3)) == []


def test_a_target_whose_order_was_cancelled_from_outside_is_sent_again_once() -> None:
    engine = Engine(Asks([TargetRequest(BTC, 1.0)], [TargetRequest(BTC, 1.0)], [TargetRequest(BTC, 1.0)]), cash=1_000)
    (first,) = sent(engine, candle(0))
    engine.process(OrderCancelled(first, 5))
    (second,) = sent(engine, candle(1))
    assert second != first
    assert list(engine.book.orders) == [second]
    assert sent(engine, candle(2)) == []


def test_a_new_target_cancels_the_order_of_the_one_before_while_it_works() -> None:
    engine = Engine(Asks([TargetRequest(BTC, 1.0)], [TargetRequest(BTC, 0.5)]), cash=1_000)
    (first,) = sent(engine, candle(0))
    cancel, submit, _ = engine.process(candle(1))
    assert cancel == Cancel(first, HOUR)
    assert isinstance(submit, Submit)
    engine.process(OrderCancelled(first, HOUR))
    assert list(engine.book.orders) == [submit.order.order_id]


def test_a_replaced_order_may_still_fill_before_the_cancel_arrives() -> None:
    engine = Engine(Asks([TargetRequest(BTC, 1.0)], [TargetRequest(BTC, 0.5)]), cash=1_000)
    (first,) = sent(engine, candle(0))
    (second,) = sent(engine, candle(1))
    engine.process(OrderFilled(first, BTC, HOUR, +1, 10.0, 100.0, 0.0))
    engine.process(OrderFilled(second, BTC, HOUR, -1, 5.0, 100.0, 0.0))
    assert engine.account.position(BTC) == 5.0


@pytest.mark.parametrize(
    ("one", "other", "trades"),
    [
        (TargetRequest(BTC, 1.0), TargetRequest(BTC, 1.0, unit="quantity"), True),
        (TargetRequest(BTC, 1.0, unit="notional"), TargetRequest(BTC, 1.0, unit="quantity"), True),
        (TargetRequest(BTC, 1.0, size=5.0, unit="quantity"), TargetRequest(BTC, 1.0, unit="quantity"), True),
        (TargetRequest(BTC, 1.0, size=0.4), TargetRequest(BTC, 1.0, size=0.6), False),
        (TargetRequest(BTC, 0.0), TargetRequest(BTC, 0.0, unit="quantity"), False),
    ],
    ids=["exposure to units", "money to units", "five to one", "a size of equity that drifts", "flat is flat"],
)
def test_a_number_that_means_another_size_is_another_target(
    one: TargetRequest, other: TargetRequest, *, trades: bool
) -> None:
    engine = Engine(Asks([one], [other], [other]), cash=1_000)
    sent(engine, candle(0))
    assert [len(sent(engine, candle(bar))) for bar in (1, 2)] == [int(trades), 0]


def test_a_replaced_order_of_a_target_stands_for_the_target() -> None:
    aim = TargetRequest(BTC, 1.0, limit=90.0)
    engine = Engine(Asks([aim], [ReplaceRequest("BTC/USD@0#1", "deeper", limit=80.0)], [aim], [aim]), cash=1_000)
    assert sent(engine, candle(0)) == ["BTC/USD@0#1"]
    assert sent(engine, candle(1)) == ["deeper"]
    engine.process(OrderCancelled("BTC/USD@0#1", HOUR))
    assert sent(engine, candle(2)) == []
    engine.process(OrderCancelled("deeper", 2 * HOUR))
    assert len(sent(engine, candle(3))) == 1


def test_targets_of_two_symbols_do_not_know_of_each_other() -> None:
    engine = Engine(Asks([TargetRequest(BTC, 0.5)], [TargetRequest(ETH, 0.5)]), cash=1_000)
    engine.process(candle(0))
    effects = engine.process(candle(0, symbol=ETH))
    assert [type(effect) for effect in effects] == [Submit, Decided]
    assert engine.book.targets == {BTC: 0.5, ETH: 0.5}


def test_orders_of_another_symbol_do_not_count_into_a_position() -> None:
    buys: list[Request] = [OrderRequest(ETH, +1, quantity=50.0), OrderRequest(BTC, +1, quantity=4.0)]
    engine = Engine(Asks([], buys), cash=1_000, limits=Limits(max_position_notional=500))
    engine.process(candle(0, 10.0, symbol=ETH))
    assert len(sent(engine, candle(0, 100.0))) == 2


def test_only_a_working_order_is_cancelled() -> None:
    engine = Engine(Asks([TargetRequest(BTC, 1.0)], [], [CancelRequest(f"{BTC}@0#1"), CancelRequest("none")]), cash=1e3)
    (identity,) = sent(engine, candle(0))
    engine.process(OrderFilled(identity, BTC, HOUR, +1, 10.0, 100.0, 0.0))
    assert [type(effect) for effect in engine.process(candle(1))] == [Decided]


def test_a_denied_target_is_told_once_and_not_asked_again() -> None:
    engine = Engine(Asks(*[[TargetRequest(BTC, 1.0)]] * 2), cash=1_000, limits=Limits(max_order_notional=1))
    denied, decided = engine.process(candle(0))
    assert isinstance(denied, Denied)
    assert denied.reason == "max_order_notional"
    assert isinstance(decided, Decided)
    assert decided.action == "refused"
    (decided,) = engine.process(candle(1))
    assert isinstance(decided, Decided)
    assert decided.action == "hold"


def test_a_denied_target_that_replaced_a_working_one_is_not_asked_again_either() -> None:
    asks = Asks([TargetRequest(BTC, 0.4)], *[[TargetRequest(BTC, 1.0)]] * 2)
    engine = Engine(asks, cash=1_000, limits=Limits(max_order_notional=500))
    (first,) = sent(engine, candle(0))
    assert [type(effect) for effect in engine.process(candle(1))] == [Cancel, Denied, Decided]
    engine.process(OrderCancelled(first, HOUR))
    assert [type(effect) for effect in engine.process(candle(2))] == [Decided]
    assert engine.book.orders == {}


def test_a_timer_asks_once_however_many_symbols_there_are() -> None:
    asks = Asks()
    engine = Engine(asks, cash=1_000)
    engine.process(BarOpened(BTC, 0, 100.0))
    engine.process(BarOpened(ETH, 0, 10.0))
    engine.process(TimerStruck("hourly", 5))
    assert len(asks.shown) == 1


class Raises:
    def __init__(self) -> None:
        self.times_asked = 0

    def handle(self, event: Event, view: View) -> list[Request]:
        self.times_asked += 1
        raise FixStrategy("mine raised ValueError: no")


def test_a_strategy_that_raises_is_stopped_and_the_account_is_told_on() -> None:
    strategy = Raises()
    engine = Engine(strategy, cash=1_000)
    stopped, decided = engine.process(candle(0))
    assert stopped == StrategyStopped(BTC, 0, "mine raised ValueError: no")
    assert isinstance(decided, Decided)
    assert decided.action == "stopped"
    assert engine.process(TradePrinted(BTC, 5, 1.0, 1.0, 1)) == []
    (decided,) = engine.process(candle(1))
    assert isinstance(decided, Decided)
    assert decided.action == "stopped"
    assert strategy.times_asked == 1
