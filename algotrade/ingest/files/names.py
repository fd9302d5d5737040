"""What a file's name says of its candles, where exchanges and programs name their files so. A proposal, never more.

Recognised, by form: XBTUSD_60.csv (a pair without a sign between, and minutes), XBTUSD.csv (trades), and
BTC_USD-1h.feather, BTC_USDT_USDT-1h-futures.json (base, quote, settlement, timeframe, kind).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple

from algotrade.market.timeframe import COMMON, timeframe_ms

KNOWN_ENDS: Final = re.compile(r"(\.(csv|txt|json|feather|parquet))?(\.gz)?$", re.ASCII | re.IGNORECASE)
PAIR_MINUTES: Final = re.compile(r"([A-Z0-9.]{5,20})(?:_(\d{1,5}))?", re.ASCII)
PARTS: Final = re.compile(
    r"([A-Z0-9.]{1,15})_([A-Z0-9]{2,10})(?:_([A-Z0-9]{2,10}))?-(\d{1,4}[smhdw])(?:-(?:futures|spot))?", re.ASCII
)
OTHER_CODES: Final = (("XBT", "BTC"), ("XDG", "DOGE"))  # of X-currencies in the style of ISO 4217
# Longest first, so that ...USDT is not taken for something in USD. A pair that ends in none of them is not guessed.
QUOTES: Final = ("USDT", "USDC", "USDG", "USD", "EUR", "GBP", "JPY", "CAD", "AUD", "CHF", "DAI", "BTC", "ETH")


class NamedSeries(NamedTuple):
    """What a name says.

    Attributes:
        symbol: "BTC/USD", "BTC/USDT:USDT".
        timeframe: "" where the name has none.
    """

    symbol: str
    timeframe: str


def read_name(name: str, asked: str = "") -> NamedSeries | None:
    """Symbol and timeframe of a file name; None where it is not of a known form.

    Args:
        name: without folders.
        asked: a symbol; a pair of the same letters is it, whatever quote currency it ends in.
    """
    stem = KNOWN_ENDS.sub("", name)
    if found := PARTS.fullmatch(stem):
        base, quote, settle, timeframe = found.groups()
        return NamedSeries(f"{_usual(base)}/{_usual(quote)}" + (f":{_usual(settle)}" if settle else ""), timeframe)
    found = PAIR_MINUTES.fullmatch(stem)
    if found is None or (symbol := _split(found[1], asked)) is None:
        return None
    if found[2] is None:
        return NamedSeries(symbol, "")
    fitting = [timeframe for timeframe in COMMON if timeframe_ms(timeframe) == int(found[2]) * 60_000]
    return NamedSeries(symbol, fitting[0]) if fitting else None


def contradicts(named: NamedSeries, symbol: str, timeframe: str) -> bool:
    """Whether a name says another market or timeframe than the given ones; where either says nothing, it does not."""
    spot, _, _ = symbol.partition(":")
    given = "/".join(map(_usual, spot.split("/")))
    other_market = bool(symbol and named.symbol) and named.symbol.partition(":")[0] != given
    return other_market or bool(timeframe and named.timeframe and named.timeframe != timeframe)


def printable(text: str) -> str:
    """A name or message without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


def quoted(path: Path) -> str:
    """A path as a shell takes it; a word for it where it holds what a terminal would obey."""
    return shlex.quote(str(path)) if str(path).isprintable() else "FILE"


def _split(pair: str, asked: str) -> str | None:
    """ "XBTUSD" as "BTC/USD"; None where no known quote currency ends it."""
    folded = pair
    for other, usual in OTHER_CODES:
        folded = folded.replace(other, usual)
    if asked and folded == asked.replace("/", ""):
        return asked
    for quote in QUOTES:
        if folded.endswith(quote) and len(folded) - len(quote) >= 2:
            return f"{folded.removesuffix(quote)}/{quote}"
    return None


def _usual(code: str) -> str:
    return dict(OTHER_CODES).get(code, code)
