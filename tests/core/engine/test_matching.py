from __future__ import annotations

from algotrade.engine.events import (
    BarOpened,
    CandleClosed,
    DetailCandle,
    OpenRevised,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    TimerStruck,
    TradePrinted,
)
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.orders import Order, OrderType, TimeInForce
from algotrade.engine.rules import Market, Rules
from algotrade.engine.sizing import Terms

BTC, ETH = "BTC/USD", "ETH/USD"
FREE = Terms(0.0, 0.0)


def order(identity: str, side: int, quantity: float, symbol: str = BTC) -> Order:
    return Order(identity, symbol, 0, side, quantity=quantity)


def venue_with(terms: Terms = FREE) -> SimulatedVenue:
    return SimulatedVenue(Rules({BTC: Market(terms), ETH: Market(terms)}), 1_000)


def test_an_order_is_accepted_and_waits_for_the_next_open() -> None:
    venue = venue_with()
    assert venue.submit(order("a", +1, 2.0)) == [OrderAccepted("a", 0)]
    assert venue.on_market(CandleClosed(BTC, 0, 1, 1, 1, 1, 1)) == []
    assert venue.on_market(BarOpened(BTC, 60_000, 100.0)) == [OrderFilled("a", BTC, 60_000, +1, 2.0, 100.0, 0.0)]
    assert venue.on_market(BarOpened(BTC, 120_000, 100.0)) == []


def test_a_market_order_waits_for_a_price_that_can_be_had() -> None:
    venue = venue_with()
    venue.submit(order("a", +1, 2.0))
    for event in (
        CandleClosed(BTC, 0, 90, 110, 80, 100, 1),
        OpenRevised(BTC, 0, 91.0),
        TimerStruck("hourly", 7),
    ):
        assert venue.on_market(event) == []
    trade = TradePrinted(BTC, 8, 95.0, 1.0, +1)
    assert venue.on_market(trade) == [OrderFilled("a", BTC, 8, +1, 2.0, 95.0, 0.0)]


def test_an_order_waits_for_a_bar_of_its_own_symbol() -> None:
    venue = venue_with()
    venue.submit(order("a", +1, 2.0))
    venue.submit(order("b", +1, 3.0, ETH))
    assert [answer.order_id for answer in venue.on_market(BarOpened(ETH, 1, 10.0))] == ["b"]
    assert [answer.order_id for answer in venue.on_market(BarOpened(BTC, 1, 100.0))] == ["a"]
    assert venue.account.cash == 770.0


def test_a_cancelled_order_is_gone_and_cancelling_twice_says_nothing() -> None:
    venue = venue_with()
    venue.submit(order("a", +1, 2.0))
    assert venue.cancel("a", 5) == [OrderCancelled("a", 5)]
    assert venue.cancel("a", 6) == []
    assert venue.on_market(BarOpened(BTC, 10, 100.0)) == []


def test_a_refused_order_is_gone_and_leaves_the_account_alone() -> None:
    venue = venue_with()
    venue.submit(order("a", -1, 2.0))
    assert venue.on_market(BarOpened(BTC, 10, 100.0)) == [OrderRejected("a", 10, "nothing_to_sell")]
    assert venue.on_market(BarOpened(BTC, 20, 100.0)) == []
    assert (venue.account.cash, venue.account.position(BTC)) == (1_000, 0.0)


def test_orders_of_one_bar_fill_one_after_the_other_from_the_same_account() -> None:
    venue = venue_with()
    for identity, side, quantity in (("a", +1, 10.0), ("b", +1, 0.1), ("c", -1, 4.0), ("d", +1, 4.0)):
        venue.submit(order(identity, side, quantity))
    kinds = [type(answer).__name__ for answer in venue.on_market(BarOpened(BTC, 10, 100.0))]
    assert kinds == ["OrderFilled", "OrderRejected", "OrderFilled", "OrderFilled"]
    assert (venue.account.cash, venue.account.position(BTC)) == (0.0, 10.0)


def test_selling_all_that_was_bought_in_steps_leaves_exactly_nothing() -> None:
    venue = venue_with(Terms(0.0, 0.0, quantity_step=0.1))
    for bar, quantity in enumerate((0.1, 0.1, 0.7)):
        venue.submit(order(f"buy {bar}", +1, quantity))
        venue.on_market(BarOpened(BTC, bar, 100.0))
    held = venue.account.position(BTC)
    assert held != 0.9  # a sum of floats: the next order cannot be an exact multiple of it
    venue.submit(order("sell", -1, 0.9))
    venue.on_market(BarOpened(BTC, 10, 100.0))
    assert venue.account.position(BTC) == 0.0


def test_an_amount_of_money_buys_at_the_slipped_price() -> None:
    venue = venue_with(Terms(0.01, 0.25))
    venue.submit(Order("a", BTC, 0, +1, notional=500.0))
    assert venue.on_market(BarOpened(BTC, 1, 80.0)) == [OrderFilled("a", BTC, 1, +1, 5.0, 100.0, 5.0)]


def test_what_is_left_of_a_bar_is_the_first_one_in_which_an_order_works() -> None:
    day, hour = 86_400_000, 3_600_000
    limit = order("a", +1, 1.0)._replace(order_type=OrderType.LIMIT, limit=90.0)
    venue = venue_with()
    venue.on_market(BarOpened(BTC, day - hour, 100.0))
    venue.on_market(DetailCandle(BTC, day - hour, 100.0, 100.0, 100.0, 100.0, 1.0))
    venue.submit(limit._replace(time_in_force=TimeInForce.DAY))
    venue.submit(limit._replace(order_id="b", expires_after=1))
    venue.submit(limit._replace(order_id="c", expires_after=2))
    venue.on_market(CandleClosed(BTC, day - hour, 100.0, 100.0, 100.0, 100.0, 1.0))
    expired = [OrderCancelled(identity, day, "expired") for identity in ("a", "b")]
    assert venue.on_market(BarOpened(BTC, day, 100.0)) == expired
    venue.on_market(CandleClosed(BTC, day, 100.0, 100.0, 100.0, 100.0, 1.0))
    venue.submit(limit._replace(order_id="d", expires_after=1))
    assert venue.on_market(BarOpened(BTC, day + hour, 100.0)) == [OrderCancelled("c", day + hour, "expired")]
    assert venue.on_market(BarOpened(BTC, day + 2 * hour, 100.0)) == [OrderCancelled("d", day + 2 * hour, "expired")]
