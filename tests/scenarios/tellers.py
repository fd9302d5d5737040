"""The ways in which a story can be told; all of them must tell the same one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import pytest

from algotrade.backtest.setup import Setup
from algotrade.engine.account import View
from algotrade.engine.engine import Engine
from algotrade.engine.events import (
    AmbiguousBar,
    CandleClosed,
    Charged,
    Denied,
    Effect,
    Emitted,
    Event,
    MarketEvent,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    TradePrinted,
)
from algotrade.engine.matching import SimulatedVenue
from algotrade.engine.records import EVENT_NAMES, MARKET_NAMES, name_of
from algotrade.engine.requests import Request
from algotrade.engine.rules import PATHS
from algotrade.engine.session import Record, SimulatedSession
from algotrade.live.replay import record_of, replay, rows_of
from tests.scenarios.story import Asks, End, Ending, Story, Told

Teller = Callable[[Story, Setup], Ending]


class Scripted:
    """A decider that asks for what the table says."""

    def __init__(self, asks: Asks, book: str) -> None:
        self._asks = asks
        self._book = book

    def handle(self, event: Event | Emitted, view: View) -> list[Request]:
        if isinstance(event, CandleClosed | TradePrinted):
            return self._asks.get((self._book, event.time, event.symbol), [])
        return []


def new_session(story: Story, setup: Setup) -> SimulatedSession:
    return SimulatedSession(new_engine(story, setup), SimulatedVenue(setup.rules, story.cash))


def new_engine(story: Story, setup: Setup) -> Engine:
    deciders = {book: Scripted(story.asks, book) for book in story.cash}
    return Engine(deciders, cash=story.cash, limits=setup.limits, symbols=setup.symbols)


def ends_of(engine: Engine) -> list[End]:
    """Cash, what is held, and its value, book by book."""
    return [
        End(name, book.account.cash, {s: q for s, q in book.account.positions.items() if q}, book.account.equity())
        for name, book in engine.books.items()
    ]


def told_by(records: Iterable[Record]) -> list[Told]:
    """What a table tells of a session's records."""
    return [told for record in records if (told := _told(record)) is not None]


def _told(record: Record) -> Told | None:
    match record:
        case OrderFilled(symbol=symbol, time=time, book=book):
            return Told(time, book, symbol, *_of_fill(record))
        case OrderCancelled(order_id=identity, time=time, reason=reason):
            words = ("cancelled", _short(identity), *([reason] if reason else []))
            return Told(time, "", "", words, ())
        case OrderRejected(time=time, reason=reason):
            return Told(time, "", "", ("refused", reason), ())
        case Denied(order=order, reason=reason):
            return Told(order.time, "", "", ("denied", reason), ())
        case Charged(symbol=symbol, time=time, reason=reason, amount=amount, book=book):
            return Told(time, book, symbol, ("charged", reason), (amount,))
        case AmbiguousBar(symbol=symbol, time=time, worst=worst, best=best, diverges=diverges):
            return Told(time, "", symbol, ("ambiguous", *(["diverges"] if diverges else [])), (worst, best))
    return None


def _of_fill(fill: OrderFilled) -> tuple[tuple[str, ...], tuple[float, ...]]:
    words, numbers = ["buy" if fill.side > 0 else "sell", "@"], [fill.quantity, fill.price]
    told = {"fee": 0.0 if fill.fee_quantity else fill.fee, "fee_base": fill.fee_quantity, "left": fill.remaining}
    for word, number in told.items():
        if number:
            words.append(word)
            numbers.append(number)
    return (*words, *(["maker"] if fill.maker else []), *([fill.role] if fill.role else [])), tuple(numbers)


def _short(identity: str) -> str:
    """The name that a table gives an order: its own, "#1" by its number, or the part of a bracket that it is."""
    if "/" in identity and not identity.rpartition("/")[2].partition("@")[1]:
        return identity.rpartition("/")[2]
    return "#" + identity.rpartition("#")[2] if "#" in identity else identity


def backtest(story: Story, setup: Setup) -> Ending:
    """Event by event; our account is the exchange's at every one of them, to the last bit."""
    session = new_session(story, setup)
    records: list[Record] = []
    for event in story.events:
        records += session.process(event)
        theirs = session.venue.accounts
        for name, book in session.engine.books.items():
            assert (book.account.cash, book.account.positions) == (theirs[name].cash, theirs[name].positions)
            assert book.account.averages == theirs[name].averages
    return Ending(told_by(records), ends_of(session.engine))


def replayed_journal(story: Story, setup: Setup) -> Ending:
    """A paper session: its journal, read back, comes out to the byte; an engine told of the events decides the same."""
    session = new_session(story, setup)
    rows = rows_of(record for event in story.events for record in session.process(event))
    assert replay(rows, new_session(story, setup)) is None
    records = [record_of(row) for row in rows]
    engine = new_engine(story, setup)
    feed_alone(engine, records)
    return Ending(told_by(records), ends_of(engine))


def feed_alone(engine: Engine, records: Iterable[Record]) -> None:
    """Give an engine all that a journal says of market and exchange: it decides what the journal says.

    As in a session, the exchange's answers to a market event come first, and then the event itself.
    """
    waiting: deque[MarketEvent] = deque()
    effects: deque[Effect] = deque()
    for record in records:
        name = name_of(record)
        if name in EVENT_NAMES - MARKET_NAMES:
            effects.extend(engine.process(record))
            continue
        if waiting and (name in MARKET_NAMES or not effects):
            effects.extend(engine.process(waiting.popleft()))
        if name in MARKET_NAMES:
            assert not effects
            waiting.append(record)
        else:
            assert effects.popleft() == record


TELLERS: tuple[Teller, ...] = (backtest, replayed_journal)


def every_way(stories: list[Story]) -> pytest.MarkDecorator:
    """Parametrise a test with each story, by each way through its bars, from each teller."""
    return pytest.mark.parametrize(
        ("tale", "path", "teller"),
        [
            pytest.param(tale, path, teller, id=f"{tale.title}-{path}-{teller.__name__}")
            for tale in stories
            for path in PATHS
            for teller in TELLERS
        ],
    )


def told_alike(tale: Story, path: str, teller: Teller) -> None:
    """The teller tells what the table says."""
    same_ending(teller(tale, tale.on(path)), tale.endings[path])


def same_ending(ending: Ending, expected: Ending) -> None:
    """Compare with what a table says, where numbers have the digits of a sheet of paper."""
    assert [told[:4] for told in ending.told] == [told[:4] for told in expected.told]
    for told, wanted in zip(ending.told, expected.told, strict=True):
        assert told.numbers == pytest.approx(wanted.numbers, rel=1e-9, abs=1e-9), wanted
    assert [end.book for end in ending.ends] == [end.book for end in expected.ends]
    for end, promised in zip(ending.ends, expected.ends, strict=True):
        assert end.cash == pytest.approx(promised.cash, rel=1e-9, abs=1e-9)
        assert end.positions == pytest.approx(promised.positions, rel=1e-9)
        assert promised.equity is None or end.equity == pytest.approx(promised.equity, rel=1e-9, abs=1e-9)
