"""Sessions with limits, and a gate of its own, for the tests of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from algotrade.engine.account import Account, View
from algotrade.engine.engine import Engine
from algotrade.engine.events import BarOpened, CandleClosed, Denied, Emitted, Event, OrderFilled
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.orders import Order
from algotrade.engine.requests import OrderRequest, Request, TargetRequest
from algotrade.engine.risk import Limits, RiskGate
from algotrade.engine.rules import Market, Rules
from algotrade.engine.session import Record, SimulatedSession
from algotrade.engine.sizing import Terms

BTC, ETH = "BTC/USD", "ETH/USD"
DAY = 86_400_000
HOUR = 3_600_000
Row = tuple[float, str, str]  # price of a flat bar, what is asked at its close, what keeps it back ("" passes)


class Script:
    """Answers the close of a bar of its symbol with what the script has for its time."""

    def __init__(self, requests: Mapping[int, list[Request]]) -> None:
        self.requests = requests

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        return list(self.requests.get(event.time, [])) if isinstance(event, CandleClosed) else []


def request_of(words: str, symbol: str = BTC) -> Request:
    """ "buy 2", "sell 2", "hold 0.5", "hold -1 quantity"."""
    verb, amount, *unit = words.split()
    if verb == "hold":
        return TargetRequest(symbol, float(amount), unit=unit[0] if unit else "exposure")
    return OrderRequest(symbol, +1 if verb == "buy" else -1, quantity=float(amount))


def session(strategy: Any, limits: Limits | None, *, cash: Any = 1_000.0, fee: float = 0.0) -> SimulatedSession:
    terms = Terms(fee, 0.0)
    rules = Rules({symbol: Market(terms, can_short=True) for symbol in (BTC, ETH)}, bar_ms=HOUR)
    return SimulatedSession(Engine(strategy, cash=cash, limits=limits, symbols=(BTC, ETH)), SimulatedVenue(rules, cash))


def bar(time: int, price: float, symbol: str = BTC) -> list[BarOpened | CandleClosed]:
    return [BarOpened(symbol, time, price), CandleClosed(symbol, time, price, price, price, price, 1.0)]


def records_of(told: SimulatedSession, events: Iterable[Any]) -> list[Record]:
    return [record for event in events for record in told.process(event)]


def reasons(limits: Limits, rows: list[Row], *, step: int = HOUR, fee: float = 0.0) -> list[str]:
    """What each row's order was denied for; "" where it went out or none was asked."""
    asked = {at * step: [request_of(asks)] for at, (_, asks, _) in enumerate(rows) if asks}
    told = session(Script(asked), limits, fee=fee)
    found = []
    for at, (price, _, _) in enumerate(rows):
        denied = [each for each in records_of(told, bar(at * step, price)) if isinstance(each, Denied)]
        found.append(denied[0].reason if denied else "")
    return found


def account(position: float = 0.0, price: float = 100.0, cash: float = 1_000.0) -> Account:
    made = Account(cash)
    if position:
        made.apply(OrderFilled("id", BTC, 0, 1 if position > 0 else -1, abs(position), price, 0.0))
    made.mark(BTC, price)
    return made


def order(side: int = +1, **fields: Any) -> Order:
    return Order("id", BTC, 0, side, **fields)


def reason_of(gate: RiskGate, asked: Order, working: tuple[Order, ...] = ()) -> str:
    denial = gate.denial_of(asked, working)
    return denial.reason if denial else ""
