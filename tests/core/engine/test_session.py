"""Engine and simulated exchange together: the order of the records is the order of what happened."""

from __future__ import annotations

from algotrade.engine.account import View
from algotrade.engine.engine import Engine
from algotrade.engine.events import (
    BarOpened,
    CandleClosed,
    Event,
    OpenRevised,
    OrderFilled,
)
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.requests import OrderRequest, Request, TargetRequest
from algotrade.engine.rules import Market, Rules
from algotrade.engine.session import Record, SimulatedSession
from algotrade.engine.sizing import Terms

BTC = "BTC/USD"


class BuysOnceAndSellsWhatFills:
    """Buys at the first close; as soon as a buy has filled, asks to sell half of it."""

    def __init__(self) -> None:
        self.has_asked = False

    def handle(self, event: Event, view: View) -> list[Request]:
        if isinstance(event, CandleClosed) and not self.has_asked:
            self.has_asked = True
            return [OrderRequest(BTC, +1, quantity=4.0)]
        if isinstance(event, OrderFilled) and event.side > 0:
            return [OrderRequest(BTC, -1, quantity=event.quantity / 2)]
        return []


class AimsOnce:
    def handle(self, event: Event, view: View) -> list[Request]:
        return [TargetRequest(BTC, 1.0)] if isinstance(event, CandleClosed) else []


def session(strategy: BuysOnceAndSellsWhatFills | AimsOnce, *, slippage: float = 0.0) -> SimulatedSession:
    return SimulatedSession(
        Engine(strategy, cash=1_000), SimulatedVenue(Rules({BTC: Market(Terms(0.0, slippage))}), 1_000)
    )


def names(records: list[Record]) -> list[str]:
    return [type(record).__name__ for record in records]


def bar(time: int, price: float) -> list[BarOpened | CandleClosed]:
    return [BarOpened(BTC, time, price), CandleClosed(BTC, time, price, price, price, price, 1.0)]


def test_the_exchange_sees_a_bar_first_then_the_strategy_sees_it_closed() -> None:
    told = session(AimsOnce())
    assert [names(told.process(event)) for event in (*bar(0, 100.0), *bar(1, 100.0))] == [
        ["BarOpened"],
        ["CandleClosed", "Submit", "OrderAccepted", "Decided"],
        ["BarOpened", "OrderFilled"],
        ["CandleClosed", "Decided"],
    ]


def test_an_order_made_in_answer_to_a_fill_fills_at_the_next_open_and_not_in_the_same() -> None:
    told = session(BuysOnceAndSellsWhatFills())
    records = [told.process(event) for time in range(3) for event in bar(time, 100.0 + time)]
    assert names(records[2]) == ["BarOpened", "OrderFilled", "Submit", "OrderAccepted"]
    assert names(records[4]) == ["BarOpened", "OrderFilled"]
    fills = [record for batch in records for record in batch if isinstance(record, OrderFilled)]
    assert [(fill.time, fill.side, fill.quantity, fill.price) for fill in fills] == [
        (1, +1, 4.0, 101.0),
        (2, -1, 2.0, 102.0),
    ]


def test_a_paper_fill_made_on_the_first_print_stands_when_the_open_is_revised() -> None:
    told = session(AimsOnce())
    for event in bar(0, 100.0):
        told.process(event)
    told.process(BarOpened(BTC, 1, 100.0))
    assert names(told.process(OpenRevised(BTC, 1, 80.0))) == ["OpenRevised"]
    told.process(CandleClosed(BTC, 1, 80.0, 100.0, 80.0, 90.0, 1.0))
    assert (told.engine.account.cash, told.engine.account.position(BTC)) == (0.0, 10.0)
    assert told.engine.account.equity() == 900.0


def test_after_an_open_the_account_is_marked_at_the_open_and_not_at_the_slipped_price() -> None:
    told = session(AimsOnce(), slippage=0.25)
    for event in (*bar(0, 80.0), BarOpened(BTC, 1, 80.0)):
        told.process(event)
    assert told.engine.account.position(BTC) == 10.0
    assert told.engine.account.equity() == 800.0
