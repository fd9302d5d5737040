from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from algotrade.engine.account import Account
from algotrade.engine.book import Book
from algotrade.engine.engine import Engine
from algotrade.engine.events import BracketPlaced, CandleClosed, Emitted, OrderFilled, Submit
from algotrade.engine.orders import Bracket, Entry, OrderType, TimeInForce, bracket_orders
from algotrade.engine.requests import (
    CancelRequest,
    EmitRequest,
    OrderRequest,
    ProtectRequest,
    ReplaceRequest,
    Request,
    TargetRequest,
)
from algotrade.errors import FixStrategy
from algotrade.strategy.base import Bounds, Strategy, on
from algotrade.strategy.sizes import Sizing

BTC, ETH = "BTC/USD", "ETH/USD"
CLOSE = 100.0
CANDLE = CandleClosed(BTC, 0, 99.0, 101.0, 98.0, CLOSE, 10.0)

Asks = Callable[[Strategy], object]


class Asking(Strategy):
    """Does what it is told, once."""

    bounds = Bounds(leverage=2.0, allow_short=True)

    def __init__(self, asks: Asks) -> None:
        super().__init__()
        self.asks = asks

    @on("candles")
    def ask(self, candle: CandleClosed) -> None:
        self.asks(self)


def requests(asks: Asks, *, position: float = 0.0, sizing: Sizing | None = None) -> list[Request]:
    strategy = Asking(asks)
    strategy.sizing = sizing
    strategy.begin([BTC, ETH], None, timeframe="1h")
    account = Account(1000.0, [BTC, ETH])
    if position:
        side = 1 if position > 0 else -1
        account.apply(OrderFilled("earlier", BTC, 0, side, abs(position), CLOSE, 0.0))
    account.mark(BTC, CLOSE)
    return list(strategy.handle(CANDLE, Book(strategy, account).view))


def the_one(asks: Asks, **situation: Any) -> Any:
    (request,) = requests(asks, **situation)
    return request


# ---- fixed sizes ----------------------------------------------------------------------------------------------------
def test_an_order_says_everything_that_an_order_can_say() -> None:
    request = the_one(
        lambda our: our.buy(
            quantity=np.float64(2),
            symbol=ETH,
            limit=90,
            stop_loss=0.1,
            take_profit_price=120,
            trailing_amount=5,
            trailing_activation=0.02,
            take_profit_after={"1h": 0.01, "20m": 0.04},
            max_bars=7,
            time_in_force="day",
            expires_after=3,
            post_only=True,
            reduce_only=False,
        )
    )
    bracket = Bracket(
        stop_loss=0.1,
        take_profit_price=120.0,
        trailing_amount=5.0,
        trailing_activation=0.02,
        take_profit_after=((1_200_000, 0.04), (3_600_000, 0.01)),
        max_bars=7,
    )
    assert request == OrderRequest(
        ETH, 1, 2.0, None, f"{ETH}@0#1", 90.0, None, bracket, TimeInForce.DAY, 3, True, False
    )
    assert type(request.quantity) is float


def test_an_order_that_says_nothing_else_is_a_market_order_for_the_symbol_of_the_event() -> None:
    assert the_one(lambda our: our.sell(notional=50)) == OrderRequest(BTC, -1, None, 50.0, f"{BTC}@0#1")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({}, "one of the two"),
        ({"quantity": 1, "notional": 1}, "one of the two"),
        ({"quantity": 0}, "an order's size must be a positive number, given 0"),
        ({"quantity": -1}, "positive number, given -1"),
        ({"quantity": True}, "positive number, given True"),
        ({"quantity": "1"}, "positive number, given '1'"),
        ({"notional": math.nan}, "positive number, given nan"),
        ({"notional": math.inf}, "positive number, given inf"),
        ({"quantity": 1, "limit": math.inf}, "limit must be a positive number, given inf"),
        ({"quantity": 1, "limit": 0}, "limit must be a positive number"),
        ({"quantity": 1, "trailing_stop": 5}, "trailing_stop is a fraction"),
        ({"quantity": 1, "stop_loss": 0.1, "stop_loss_price": 90}, "stop_loss= or stop_loss_price=, one of the two"),
        ({"quantity": 1, "trailing_stop": 0.1, "trailing_amount": 9}, "one of the two"),
        ({"quantity": 1, "trailing_activation": 0.1}, "needs trailing_stop= or trailing_amount="),
        ({"quantity": 1, "take_profit": -0.1}, "take_profit must be a positive number, given -0.1"),
        ({"quantity": 1, "take_profit_after": 0.1}, "take_profit_after is a mapping like"),
        (
            {"quantity": 1, "take_profit_after": {"1h": math.nan}},
            "after 1h comes a fraction .*, given nan",
        ),
        ({"quantity": 1, "take_profit_after": {"1 hour": 0.1}}, "'1 hour' is no duration"),
        ({"quantity": 1, "max_bars": 0}, "max_bars is a whole number of bars, at least 1, given 0"),
        ({"quantity": 1, "max_bars": 1.5}, "max_bars is a whole number"),
        ({"quantity": 1, "expires_after": True}, "expires_after is a whole number"),
        ({"quantity": 1, "time_in_force": "gtd"}, r"unknown time_in_force 'gtd' \(known: gtc, day, ioc\)"),
        ({"quantity": 1, "time_in_force": "days"}, "Did you mean 'day'"),
        ({"quantity": 1, "post_only": True}, "a post_only order needs a limit="),
        ({"quantity": 1, "limit": 90, "post_only": True, "time_in_force": "ioc"}, "never fills at once"),
        ({"quantity": 1, "stoploss": 0.1}, "unknown word stoploss=.*Did you mean 'stop_loss'"),
        ({"quantity": 1, "price": 99.0}, "unknown word price=.*Did you mean 'limit'"),
        ({"amount": 1}, "unknown word amount=.*Did you mean 'quantity'"),
        ({"quantity": 1, "symbol": "DOGE/USD"}, "'DOGE/USD' is not traded here"),
    ],
)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_that_makes_no_sense_is_a_sentence_with_the_strategys_line(
    side: str, words: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(FixStrategy, match=f"asking raised ValueError.*{complaint}.*test_asking.py line"):
        requests(lambda our: getattr(our, side)(**words))


@pytest.mark.parametrize(
    ("side", "words", "complaint"),
    [
        ("buy", {"stop_loss": 1}, r"stop_loss is a fraction of the price, below 1 \(0.05 for 5 %\), given 1"),
        ("buy", {"stop": 99}, "the stop of a buy order must be above the last price 100, given 99"),
        ("buy", {"stop": 100}, "must be above"),
        ("sell", {"stop": 101}, "the stop of a sell order must be below the last price 100, given 101"),
        ("buy", {"stop_loss_price": 101}, "stop_loss_price of a long position must be below 100, given 101"),
        ("buy", {"take_profit_price": 99}, "take_profit_price of a long position must be above 100, given 99"),
        ("buy", {"limit": 90, "stop_loss_price": 95}, "below 90, given 95"),
        ("buy", {"stop": 110, "take_profit_price": 105}, "above 110, given 105"),
        ("sell", {"stop_loss_price": 99}, "stop_loss_price of a short position must be above 100, given 99"),
        ("sell", {"take_profit_price": 101}, "take_profit_price of a short position must be below 100, given 101"),
        ("sell", {"take_profit": 1.0}, "take_profit is a fraction of the price, below 1"),
    ],
)
def test_a_price_on_the_wrong_side_is_refused(side: str, words: dict[str, float], complaint: str) -> None:
    with pytest.raises(FixStrategy, match=complaint):
        requests(lambda our: getattr(our, side)(quantity=1, **words))


def test_prices_on_the_right_side_are_taken() -> None:
    assert the_one(lambda our: our.buy(quantity=1, stop=101, limit=102)).stop == 101.0
    assert the_one(lambda our: our.sell(quantity=1, stop=99)).stop == 99.0
    assert the_one(lambda our: our.sell(quantity=1, stop_loss=1.5)).bracket == Bracket(stop_loss=1.5)


def test_before_the_first_price_any_stop_may_be_right() -> None:
    class Early(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.buy(quantity=1, stop=1.0, symbol=ETH)

    strategy = Early()
    strategy.begin([BTC, ETH], None)
    assert len(strategy.handle(CANDLE, Book(strategy, Account(1.0)).view)) == 1


# ---- targets, protection --------------------------------------------------------------------------------------------
def test_a_target_is_an_exposure_a_quantity_or_a_notional() -> None:
    assert the_one(lambda our: our.target(exposure=-1)) == TargetRequest(BTC, -1.0)
    assert the_one(lambda our: our.target(quantity=-3, symbol=ETH)) == TargetRequest(ETH, -3.0, 1.0, "quantity")
    words = {"notional": 500, "limit": 99, "rebalance": True, "stop_loss": 0.1}
    expected = TargetRequest(BTC, 500.0, 1.0, "notional", 99.0, Bracket(stop_loss=0.1), True)
    assert the_one(lambda our: our.target(**words)) == expected


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({}, "give exposure=, quantity= or notional=, one of the three"),
        ({"exposure": 1, "notional": 1}, "one of the three"),
        ({"exposure": math.nan}, "the target exposure must be a finite number, given nan"),
        ({"quantity": math.inf}, "the target quantity must be a finite number, given inf"),
        ({"exposure": 2.5}, "outside the leverage of 2.0"),
        ({"exposure": 1, "post_only": True}, "unknown word post_only="),
        ({"exposure": 1, "stop_loss_price": 101}, "of a long position must be below 100"),
        ({"exposure": -1, "stop_loss_price": 99}, "of a short position must be above 100"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(words: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FixStrategy, match=complaint):
        requests(lambda our: our.target(**words))


def test_closing_is_a_target_of_nothing_that_trades_while_there_is_a_position() -> None:
    assert the_one(lambda our: our.close(), position=2.0) == TargetRequest(BTC, 0.0, rebalance=True)
    assert the_one(lambda our: our.close(ETH), position=2.0) == TargetRequest(ETH, 0.0)


def test_protection_goes_around_the_whole_position_or_away() -> None:
    assert the_one(lambda our: our.protect(stop_loss_price=95), position=1.0) == ProtectRequest(
        BTC, Bracket(stop_loss_price=95.0)
    )
    assert the_one(lambda our: our.protect(), position=1.0) == ProtectRequest(BTC, None)
    with pytest.raises(FixStrategy, match="of a long position must be below 100, given 105"):
        requests(lambda our: our.protect(stop_loss_price=105), position=1.0)
    with pytest.raises(FixStrategy, match="of a short position must be above 100, given 95"):
        requests(lambda our: our.protect(stop_loss_price=95), position=-1.0)


# ---- a life of an order ---------------------------------------------------------------------------------------------
def test_ids_of_orders_never_meet_those_that_the_engine_makes() -> None:
    class Mixed(Strategy):
        def __init__(self) -> None:
            super().__init__()
            self.made: list[str] = []

        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.made.append(self.buy(quantity=1, limit=50))
            self.target(exposure=0.5)
            self.made.append(self.sell(quantity=1, limit=150))

    mixed = Mixed()
    mixed.begin(BTC, None)
    effects = Engine(mixed, cash=1000.0).process(CANDLE)
    sent = [effect.order for effect in effects if isinstance(effect, Submit)]
    assert len({order.order_id for order in sent}) == 3
    assert mixed.made == [sent[0].order_id, sent[2].order_id]
    assert [order.order_type for order in sent] == [OrderType.LIMIT, OrderType.MARKET, OrderType.LIMIT]


class Ladder(Strategy):
    """Two orders, then what it is told."""

    then: ClassVar[Any] = None
    asked: ClassVar[Any] = None

    @on("candles")
    def act(self, candle: CandleClosed) -> None:
        if not self.orders:
            self.low = self.buy(quantity=1, limit=50)
            self.high = self.sell(quantity=1, limit=150)
        else:
            self.asked = self.then()


def after_the_ladder(then: Callable[[Ladder], object]) -> tuple[Ladder, list[Request]]:
    ladder = Ladder()
    ladder.begin([BTC, ETH], None)
    engine = Engine(ladder, cash=1000.0)
    engine.process(CANDLE)
    ladder.then = lambda: then(ladder)
    return ladder, list(ladder.handle(CANDLE._replace(time=1), engine.book.view))


def test_working_orders_can_be_cancelled_one_by_one_or_all() -> None:
    ladder, asked = after_the_ladder(lambda our: our.cancel(our.low))
    assert asked == [CancelRequest(ladder.low)]
    ladder, asked = after_the_ladder(lambda our: our.cancel_all())
    assert asked == [CancelRequest(ladder.low), CancelRequest(ladder.high)]
    assert after_the_ladder(lambda our: our.cancel_all(ETH))[1] == []


def test_cancelling_all_leaves_what_protects_a_position() -> None:
    ladder = Ladder()
    ladder.begin(BTC, None)
    ladder.then = ladder.cancel_all
    engine = Engine(ladder, cash=1000.0)
    engine.process(CANDLE)
    parent = next(iter(engine.working_orders()))._replace(bracket=Bracket(stop_loss=0.1))
    engine.process(BracketPlaced(bracket_orders(parent, Bracket(stop_loss=0.1), Entry(1, 50.0, 0, 1.0))[0]))
    assert len(engine.working_orders()) == 3
    assert [request.order_id for request in ladder.handle(CANDLE, engine.book.view)] == [ladder.low, ladder.high]


def test_an_order_is_replaced_by_one_with_an_id_of_its_own() -> None:
    ladder, asked = after_the_ladder(lambda our: our.replace(our.low, limit=60, quantity=2))
    assert asked == [ReplaceRequest(ladder.low, str(ladder.asked), 2.0, 60.0, None)]
    assert ladder.asked not in (ladder.low, ladder.high)
    with pytest.raises(FixStrategy, match="give what to change"):
        after_the_ladder(lambda our: our.replace(our.low))
    with pytest.raises(FixStrategy, match="the stop of a buy order must be above the last price 100, given 90"):
        after_the_ladder(lambda our: our.replace(our.low, stop=90))


# ---- telling others -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [1, 2.5, "up", True, None, np.float64(2.5)])
def test_a_plain_value_can_be_told(value: Any) -> None:
    (request,) = requests(lambda our: our.emit("regime", value))
    assert request == EmitRequest("regime", value)
    assert not isinstance(request.value, np.generic)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("regime", math.nan, "must be finite, given nan"),
        ("regime", [1], "a number, a text, True, False or None, given list"),
        ("fills", 1, r"emit\('fills'\): that is an event of the market"),
        ("candles:4h", 1, "that is an event of the market"),
        ("fill", 1, "Did you mean 'fills'"),
        ("two words", 1, "no such event"),
    ],
)
def test_what_cannot_be_told_is_refused(name: str, value: Any, complaint: str) -> None:
    with pytest.raises(FixStrategy, match=complaint):
        requests(lambda our: our.emit(name, value))


def test_what_one_strategy_tells_another_hears() -> None:
    class Tells(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.emit("regime", "up")

    class Hears(Strategy):
        heard: ClassVar[Emitted | None] = None

        @on("regime")
        def hear(self, told: Emitted) -> None:
            self.heard = told
            self.buy(quantity=1)

    hears = Hears()
    books: dict[str, Strategy] = {"one": Tells(), "two": hears}
    for strategy in books.values():
        strategy.begin(BTC, None)
    effects = Engine(books, cash={"one": 1.0, "two": 1.0}).process(CANDLE)
    assert hears.heard == Emitted("regime", 0, "up", "one")
    assert [effect.order.book for effect in effects if isinstance(effect, Submit)] == ["two"]


# ---- where nothing may be asked for ---------------------------------------------------------------------------------
def test_an_order_outside_of_an_event_is_refused_with_the_line() -> None:
    class InInit(Strategy):
        def __init__(self) -> None:
            super().__init__()
            self.buy(quantity=1)

    class InValidate(Strategy):
        def validate(self) -> None:
            self.target(exposure=1)

    for kind in (InInit, InValidate):
        with pytest.raises(FixStrategy, match=r"only while it answers an event.*test_asking.py line.*self\.") as error:
            kind()
        assert error.value.message.startswith(kind.name())


def test_between_two_events_nothing_may_be_asked_for_either() -> None:
    strategy = Asking(lambda our: None)
    strategy.begin(BTC, None)
    strategy.handle(CANDLE, Book(strategy, Account(1.0)).view)
    with pytest.raises(FixStrategy, match="only while it answers an event"):
        strategy.close()


@pytest.mark.parametrize("ask", [lambda our: our.buy(1), lambda our: our.target(1.0)], ids=["buy", "target"])
def test_a_size_without_its_name_is_told_to_take_one(ask: Any) -> None:
    with pytest.raises(FixStrategy, match="give each word by its name, like quantity=1"):
        requests(ask)
