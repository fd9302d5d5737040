"""Whole stories as a trader writes them: candles and what is asked at each close, and beneath what then happens.

    day | open high low close | asks
    1   | 100  100  100 100   | buy 2 limit 95 as dip stop_loss 0.1
    2   | 100  102  94  96    |
    3   | 96   97   80  82    |
    --
    2   | buy 2 @ 95 maker
    3   | sell 2 @ 85.5 stop_loss
    end | cash 981

* day: "1", or "1 06:00"; with several symbols "1 ETH".
* candles: a fifth number is the volume (1 unless given). Between the rows of bars, inside the bar above them:
  "detail OPEN HIGH LOW CLOSE VOLUME", "trade PRICE QUANTITY" and "funding RATE", each with its own time.
* asks: see asking.py; several are separated by ";"; with several books "calm: buy 2".
* beneath: "buy 2 @ 95", and where it is so "fee 0.5", "fee_base 0.02" (taken from what was bought), "left 3" (still
  working), "maker", and the part of a bracket that it was; "cancelled dip", or "cancelled stop_loss other_filled";
  "refused CODE" by the exchange, "denied CODE" by our own limits; "charged 0.5 borrow"; "ambiguous 980 1020 diverges".
  Order and number are what they are: nothing else happens. An order without a name is called "#1" by its number.
* end: cash, and where they are not 0 the position and the account's value.
* "--" begins what happens whichever way through a bar is taken; "-- worst" and "-- best" where it depends on that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from algotrade.backtest.setup import Setup
from algotrade.engine.events import (
    BarOpened,
    CandleClosed,
    DetailCandle,
    FundingDue,
    MarketEvent,
    TradePrinted,
)
from algotrade.engine.fills import Costs
from algotrade.engine.requests import Request
from algotrade.engine.risk import Limits
from algotrade.engine.rules import BEST, PATHS, WORST
from algotrade.market.instrument import Instrument
from algotrade.market.timeframe import UNIT_MS
from algotrade.strategy.signals import Bounds
from tests.scenarios.asking import request_of

START = 1_704_067_200_000  # 2024-01-01
ONLY = "BTC"
Asks = dict[tuple[str, int, str], list[Request]]  # by book, time and symbol of the event that they answer


class Told(NamedTuple):
    """Something that happened: when, in which book, to which symbol; words and numbers in the order of a table."""

    time: int
    book: str
    symbol: str
    words: tuple[str, ...]
    numbers: tuple[float, ...]


class End(NamedTuple):
    """What a book ends with."""

    book: str
    cash: float
    positions: dict[str, float]
    equity: float | None


class Ending(NamedTuple):
    """Everything that happens, and how it ends."""

    told: list[Told]
    ends: list[End]


class Story(NamedTuple):
    title: str
    events: list[MarketEvent]
    asks: Asks
    endings: dict[str, Ending]  # by path
    setup: Setup
    cash: Mapping[str, float]  # by book

    def on(self, path: str) -> Setup:
        """The setup of one way through the bars."""
        return self.setup._replace(path=path)


def story(title: str, table: str, *, cash: float | Mapping[str, float] = 1_000, **conditions: Any) -> Story:
    """A story from its table.

    Args:
        title: a sentence.
        table: see above.
        cash: at the start; or by book.
        conditions: fields of Costs, Instrument, Bounds and Setup, and `limits`; no fees and no slippage unless given.
    """
    books = cash if isinstance(cash, Mapping) else {"": float(cash)}
    above, *sections = re.split(r"^\s*--(.*)$", table.strip(), flags=re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in above.strip().splitlines()[1:]]
    times = [_time_and_symbol(row[0])[0] for row in rows if row[1][0].isdigit()]
    daily = all(time % UNIT_MS["d"] == 0 for time in times)
    events, asks = _events(rows, UNIT_MS["d"] if daily else 6 * UNIT_MS["h"])
    endings: dict[str, Ending] = {}
    for path, beneath in zip(sections[::2], sections[1::2], strict=True):
        endings |= dict.fromkeys([path.strip()] if path.strip() else PATHS, _ending(beneath))
    assert set(endings) == {WORST, BEST}, title
    symbols = dict.fromkeys(_time_and_symbol(row[0])[1] for row in rows)
    return Story(
        title, events, asks, endings, _setup(conditions, symbols, daily=daily, cash=sum(books.values())), books
    )


def _setup(conditions: dict[str, Any], symbols: Mapping[str, Any], *, daily: bool, cash: float) -> Setup:
    def of(kind: Any, **defaults: Any) -> dict[str, Any]:
        return defaults | {name: conditions.pop(name) for name in list(conditions) if name in kind._fields}

    costs = Costs(**of(Costs, fee_rate=0.0, slippage_rate=0.0))
    bounds = Bounds(**of(Bounds))
    instruments = tuple(Instrument(f"{symbol}/USD", **of(Instrument)) for symbol in symbols)
    limits = conditions.pop("limits", Limits())
    return Setup(
        instruments, "1d" if daily else "6h", cash=cash, costs=costs, bounds=bounds, limits=limits, **conditions
    )


def _time_and_symbol(cell: str) -> tuple[int, str]:
    day, *rest = cell.split()
    clock = next((word for word in rest if ":" in word), "00:00")
    hours, minutes = clock.split(":")
    moment = START + (int(day) - 1) * UNIT_MS["d"] + int(hours) * UNIT_MS["h"] + int(minutes) * UNIT_MS["m"]
    return moment, next((word for word in rest if ":" not in word), ONLY)


# ---- above: what the market does, and what is asked ---------------------------------------------------------------
def _events(rows: list[list[str]], bar_ms: int) -> tuple[list[MarketEvent], Asks]:
    bars: dict[int, list[CandleClosed]] = {}
    inside: dict[int, list[MarketEvent]] = {}
    asks: Asks = {}
    for label, prices, asked in rows:
        time, name = _time_and_symbol(label)
        symbol = f"{name}/USD"
        kind, *words = prices.split() if prices[0].isalpha() else ("candle", *prices.split())
        numbers = [float(word) for word in words]
        if kind == "candle":
            bars.setdefault(time, []).append(CandleClosed(symbol, time, *numbers, *[1.0] * (5 - len(numbers))))
        else:
            inside.setdefault(max(bars), []).append(_inside(kind, symbol, time, numbers))
        for text in filter(None, (part.strip() for part in asked.split(";"))):
            book, _, what = text.rpartition(": ")
            asks.setdefault((book, time, symbol), []).append(request_of(what, symbol))
    events: list[MarketEvent] = []
    for time, candles in bars.items():
        last = len(candles) - 1
        events += [BarOpened(bar.symbol, time, bar.open, more=i < last) for i, bar in enumerate(candles)]
        events += inside.get(time, [])
        events += [bar._replace(more=i < last) for i, bar in enumerate(candles)]
    assert all(time % bar_ms == 0 for time in bars)
    return events, asks


def _inside(kind: str, symbol: str, time: int, numbers: list[float]) -> MarketEvent:
    if kind == "trade":
        return TradePrinted(symbol, time, *numbers, +1)
    if kind == "funding":
        return FundingDue(symbol, time, *numbers)
    assert kind == "detail", f"nothing that happens inside a bar: {kind}"
    return DetailCandle(symbol, time, *numbers, *[1.0] * (5 - len(numbers)))


# ---- beneath: what happens ------------------------------------------------------------------------------------------
def _ending(text: str) -> Ending:
    ending = Ending([], [])
    for line in filter(None, (line.strip() for line in text.splitlines())):
        label, what = (cell.strip() for cell in line.split("|"))
        book, _, words = what.rpartition(": ")
        if label == "end":
            ending.ends.append(_end(book, words.split()))
        else:
            ending.told.append(_told(_time_and_symbol(label)[0], book, words.split()))
    return ending


def _end(book: str, words: list[str]) -> End:
    values = {word: float(value) for word, value in zip(words[::2], words[1::2], strict=True)}
    cash, equity = values.pop("cash"), values.pop("equity", None)
    held = {f"{ONLY if word == 'position' else word}/USD": value for word, value in values.items()}
    return End(book, cash, held, equity)


def _told(time: int, book: str, words: list[str]) -> Told:
    symbol = words.pop(0) if words[0].isupper() else ONLY
    numbers = [word for word in words if re.fullmatch(r"-?[\d.]+", word)]
    rest = tuple(word for word in words if word not in numbers)
    values = tuple(float(number) for number in numbers)
    if words[0] in ("cancelled", "refused", "denied"):
        symbol = ""
    return Told(time, book, f"{symbol}/USD" if symbol else "", rest, values)
