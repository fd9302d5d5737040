"""What the engine makes of a strategy's requests, for several symbols and in several books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from algotrade.engine.account import View
from algotrade.engine.engine import LONGEST_CHAIN, Engine
from algotrade.engine.events import (
    BracketPlaced,
    Cancel,
    CandleClosed,
    Charged,
    Decided,
    Effect,
    Emitted,
    Event,
    OrderCancelled,
    OrderFilled,
    Protect,
    StrategyStopped,
    Submit,
    TimerStruck,
)
from algotrade.engine.orders import Bracket, Order, OrderType, Role
from algotrade.engine.requests import EmitRequest, OrderRequest, ProtectRequest, ReplaceRequest, Request, TargetRequest
from algotrade.errors import FixStrategy

BTC, ETH = "BTC/USD", "ETH/USD"


Asked = Mapping[tuple[type, str], Sequence[Request] | FixStrategy]


class Answers:
    """Answers an event by its kind and symbol (of an emitted one: its name); raises what stands there to be raised."""

    def __init__(self, answers: Asked) -> None:
        self.answers = answers
        self.shown: list[Event | Emitted] = []

    def handle(self, event: Event | Emitted, view: View) -> Sequence[Request]:
        self.shown.append(event)
        key = event.name if isinstance(event, Emitted | TimerStruck) else getattr(event, "symbol", "")
        answer = self.answers.get((type(event), key), [])
        if isinstance(answer, FixStrategy):
            raise answer
        return answer


def candle(symbol: str = BTC, time: int = 0, price: float = 100.0, *, more: bool = False) -> CandleClosed:
    return CandleClosed(symbol, time, price, price, price, price, 1.0, more)


def kinds(effects: list[Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def buys(**fields: object) -> OrderRequest:
    return OrderRequest(BTC, +1, order_id="mine", **{"quantity": 10.0, **fields})  # type: ignore[arg-type]


# ---- several symbols ------------------------------------------------------------------------------------------------
def test_nobody_is_asked_before_the_last_candle_of_a_moment_is_known() -> None:
    strategy = Answers({(CandleClosed, ETH): [TargetRequest(BTC, 0.5)]})
    engine = Engine(strategy, cash=1_000, symbols=(BTC, ETH))
    assert engine.process(candle(BTC, more=True)) == []
    assert strategy.shown == []
    effects = engine.process(candle(ETH, price=10.0))
    assert [event.symbol for event in strategy.shown if isinstance(event, CandleClosed)] == [BTC, ETH]
    assert kinds(effects) == ["Submit", "Decided", "Decided"]
    assert [(each.symbol, each.action) for each in effects if isinstance(each, Decided)] == [
        (BTC, "trade"),
        (ETH, "hold"),
    ]


def test_the_account_is_marked_at_all_closes_of_a_moment() -> None:
    first, second = (OrderRequest(symbol, +1, quantity=1.0, order_id=symbol) for symbol in (BTC, ETH))
    engine = Engine(Answers({(CandleClosed, BTC): [first, second]}), cash=1_000)
    engine.process(candle())
    engine.process(OrderFilled(BTC, BTC, 1, +1, 1.0, 100.0, 0.0))
    engine.process(OrderFilled(ETH, ETH, 1, +1, 1.0, 10.0, 0.0))
    engine.process(candle(BTC, 1, 110.0, more=True))
    decided = [each for each in engine.process(candle(ETH, 1, 20.0)) if isinstance(each, Decided)]
    assert [each.equity for each in decided] == [1_020.0, 1_020.0]


# ---- several books --------------------------------------------------------------------------------------------------
def two_books(calm: Answers, bold: Answers) -> Engine:
    return Engine({"calm": calm, "bold": bold}, cash={"calm": 1_000, "bold": 500})


def test_each_book_has_its_own_cash_orders_and_targets() -> None:
    asks: Asked = {(CandleClosed, BTC): [TargetRequest(BTC, 1.0)]}
    engine = two_books(Answers(asks), Answers(asks))
    effects = engine.process(candle())
    orders = [effect.order for effect in effects if isinstance(effect, Submit)]
    assert [(order.book, order.order_id) for order in orders] == [
        ("calm", f"calm:{BTC}@0#1"),
        ("bold", f"bold:{BTC}@0#1"),
    ]
    engine.process(OrderFilled(orders[1].order_id, BTC, 1, +1, 5.0, 100.0, 0.0, book="bold"))
    assert [book.account.position(BTC) for book in engine.books.values()] == [0.0, 5.0]
    assert [order.book for order in engine.working_orders()] == ["calm"]
    assert engine.equity() == 1_500.0


def test_a_fill_is_shown_to_the_book_that_it_belongs_to() -> None:
    calm, bold = Answers({(CandleClosed, BTC): [buys()]}), Answers({})
    engine = two_books(calm, bold)
    engine.process(candle())
    engine.process(OrderFilled("mine", BTC, 1, +1, 10.0, 100.0, 0.0, book="calm"))
    assert [type(event).__name__ for event in calm.shown] == ["CandleClosed", "OrderFilled"]
    assert [type(event).__name__ for event in bold.shown] == ["CandleClosed"]


def test_a_book_that_is_stopped_leaves_the_others_going() -> None:
    calm = Answers({(CandleClosed, BTC): FixStrategy("calm raised")})
    bold = Answers({(CandleClosed, BTC): [TargetRequest(BTC, 1.0)]})
    engine = two_books(calm, bold)
    effects = engine.process(candle())
    assert effects[0] == StrategyStopped(BTC, 0, "calm raised", "calm")
    assert kinds(effects) == ["StrategyStopped", "Decided", "Submit", "Decided"]
    assert [each.action for each in effects if isinstance(each, Decided)] == ["stopped", "trade"]
    assert not engine.stopped
    engine.process(candle(time=1))
    assert (len(calm.shown), len(bold.shown)) == (1, 2)


# ---- telling each other ---------------------------------------------------------------------------------------------
def test_what_one_strategy_emits_is_shown_to_all_in_the_order_of_their_books() -> None:
    calm = Answers({(CandleClosed, BTC): [EmitRequest("news", 3)]})
    bold = Answers({(Emitted, "news"): [TargetRequest(BTC, 1.0)]})
    engine = two_books(calm, bold)
    effects = engine.process(candle(time=7))
    assert effects[0] == Emitted("news", 7, 3, "calm")
    assert kinds(effects) == ["Emitted", "Submit", "Decided", "Decided"]
    assert [type(event).__name__ for event in calm.shown] == ["CandleClosed", "Emitted"]


def test_strategies_that_answer_each_other_without_end_are_stopped() -> None:
    calm = Answers({(CandleClosed, BTC): [EmitRequest("ping", 0)], (Emitted, "pong"): [EmitRequest("ping", 0)]})
    bold = Answers({(Emitted, "ping"): [EmitRequest("pong", 0)]})
    engine = two_books(calm, bold)
    effects = engine.process(candle())
    assert kinds(effects).count("Emitted") == LONGEST_CHAIN + 1
    stopped = [each for each in effects if isinstance(each, StrategyStopped)]
    assert {each.message for each in stopped} == {"more than 16 emitted events follow from one another"}
    assert engine.stopped


# ---- orders ---------------------------------------------------------------------------------------------------------
def replaced(change: ReplaceRequest, **fields: object) -> tuple[Engine, list[Effect]]:
    """An engine with a working limit order "mine", and what a timer that asks for the change leads to."""
    engine = Engine(
        Answers({(CandleClosed, BTC): [buys(limit=90.0, **fields)], (TimerStruck, "1h"): [change]}), cash=1e4
    )
    engine.process(candle())
    return engine, engine.process(TimerStruck("1h", 5))


def test_an_order_is_cancelled_and_sent_again_with_what_changed() -> None:
    _, effects = replaced(ReplaceRequest("mine", "next", limit=95.0), post_only=True)
    cancel, submit = effects
    assert cancel == Cancel("mine", 5)
    assert isinstance(submit, Submit)
    expected = Order("next", BTC, 5, +1, OrderType.LIMIT, quantity=10.0, limit=95.0, post_only=True)
    assert submit.order == expected


def test_a_new_quantity_takes_the_place_of_an_amount_of_money() -> None:
    _, effects = replaced(ReplaceRequest("mine", "next", quantity=2.0), quantity=None, notional=500.0)
    assert isinstance(effects[1], Submit)
    assert (effects[1].order.quantity, effects[1].order.notional) == (2.0, None)


def test_an_order_that_does_not_work_is_not_replaced() -> None:
    assert replaced(ReplaceRequest("other", "next", limit=95.0))[1] == []


@pytest.mark.parametrize("size", [{"quantity": 10.0}, {"quantity": None, "notional": 1_000.0}])
def test_what_is_left_of_an_order_is_what_is_sent_again(size: dict[str, float | None]) -> None:
    asks: Asked = {
        (CandleClosed, BTC): [buys(limit=90.0, **size)],
        (TimerStruck, "1h"): [ReplaceRequest("mine", "next", limit=95.0)],
    }
    engine = Engine(Answers(asks), cash=1e4)
    engine.process(candle())
    engine.process(OrderFilled("mine", BTC, 1, +1, 4.0, 90.0, 0.0, remaining=6.0))
    assert [order.quantity for order in engine.working_orders()] == [6.0]
    submit = engine.process(TimerStruck("1h", 5))[1]
    assert isinstance(submit, Submit)
    assert (submit.order.quantity, submit.order.notional) == (6.0, None)


def test_an_order_works_until_its_last_part_is_filled() -> None:
    engine, _ = replaced(ReplaceRequest("other", "next"))
    engine.process(OrderFilled("mine", BTC, 1, +1, 4.0, 90.0, 0.0, remaining=6.0))
    engine.process(OrderFilled("mine", BTC, 2, +1, 5.0, 90.0, 0.0, remaining=1.0))
    assert len(engine.working_orders()) == 1
    engine.process(OrderFilled("mine", BTC, 3, +1, 1.0, 90.0, 0.0))
    assert (engine.working_orders(), engine.account.position(BTC)) == ([], 10.0)


@pytest.mark.parametrize("bracket", [Bracket(stop_loss=0.1), None])
def test_a_position_is_protected_anew_by_the_exchange(bracket: Bracket | None) -> None:
    engine = Engine(Answers({(CandleClosed, BTC): [ProtectRequest(BTC, bracket)]}), cash=1_000)
    protect, _ = engine.process(candle())
    assert protect == Protect(Order(f"{BTC}@0#1", BTC, 0, 0, bracket=bracket))


def test_the_orders_of_a_bracket_work_until_they_fill_or_go() -> None:
    engine = Engine(Answers({}), cash=1_000)
    stop, target = (
        Order(f"a/{role}", BTC, 0, -1, OrderType.STOP, parent="a", role=role, reduce_only=True)
        for role in (Role.STOP_LOSS, Role.TAKE_PROFIT)
    )
    engine.process(BracketPlaced(stop))
    engine.process(BracketPlaced(target))
    assert engine.working_orders() == [stop, target]
    assert engine.book.view.orders(BTC) == [stop, target]
    engine.process(OrderFilled(stop.order_id, BTC, 1, -1, 1.0, 90.0, 0.0, role=Role.STOP_LOSS))
    engine.process(OrderCancelled(target.order_id, 1, "other_filled"))
    assert engine.working_orders() == []


def test_a_liquidation_needs_no_order_of_ours() -> None:
    engine = Engine(Answers({}), cash=1_000)
    engine.process(OrderFilled("x!liquidation", BTC, 1, +1, 1.0, 90.0, 0.0, role=Role.LIQUIDATION))
    assert engine.account.cash == 910.0


def test_what_holding_costs_is_taken_from_the_book_that_held() -> None:
    engine = two_books(Answers({}), Answers({}))
    assert engine.process(Charged(BTC, 0, "funding", 5.0, "bold")) == []
    assert engine.process(Charged(BTC, 0, "funding", -2.0, "calm")) == []
    assert [book.account.cash for book in engine.books.values()] == [1_002.0, 495.0]
