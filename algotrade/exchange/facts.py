"""What ccxt does not say about an exchange, as data. Nothing else in the project knows an exchange by its name.

An exchange that is missing here is treated by what its answers show; it only cannot be walked through trade by trade.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple


class RawTrades(NamedTuple):
    """How to ask for trades and where they stand in an exchange's own JSON, for answers that ccxt cuts short.

    Attributes:
        call: ccxt's name for the exchange's method.
        market, limit: its parameters for the market's id and for the number of trades.
        under: keys that lead to the list of trades; the market's own id follows them.
        price, quantity, time, side, id: positions in one trade's list. The time is in seconds, with its fraction.
        bought: what `side` says where the taker bought.
        cursor: keys that lead to where the next page begins.
        rounded_ns: how far a trade's time may lie from the one that the exchange compares with its cursor.
    """

    call: str
    market: str
    limit: str
    under: tuple[str, ...]
    price: int
    quantity: int
    time: int
    side: int
    id: int
    bought: str
    cursor: tuple[str, ...]
    rounded_ns: int


class TradeWalk(NamedTuple):
    """How an exchange is asked for its trades one after the other, none left out.

    Attributes:
        by: "cursor": the answer says where the next page begins. "id": trades are numbered without a hole and asked
            for by number. "time": asked for by millisecond, that of the last page's end included.
        page: trades in one answer, at most.
        parameter: of the request, takes the cursor or the number; "" where ccxt's own `since` does it.
        raw: how to read the answer itself; None where ccxt's reading of it is exact.
    """

    by: Literal["cursor", "id", "time"]
    page: int
    parameter: str = ""
    raw: RawTrades | None = None


# docs.kraken.com, Get Recent Trades: `since` and `last` are nanoseconds, of which ccxt sends the seconds and reads the
# milliseconds. A trade's time is rounded to seven decimals (answers of 2023 to 2026).
KRAKEN: Final = TradeWalk(
    by="cursor",
    page=1000,
    parameter="since",
    raw=RawTrades(
        call="publicGetTrades",
        market="pair",
        limit="count",
        under=("result",),
        price=0,
        quantity=1,
        time=2,
        side=3,
        id=6,
        bought="b",
        cursor=("result", "last"),
        rounded_ns=50,
    ),
)
# developers.binance.com, Compressed/Aggregate trades list: `fromId` counts in, ids have no hole, 1000 at most.
BINANCE: Final = TradeWalk(by="id", page=1000, parameter="fromId")
# docs.bitfinex.com, Trades: `start` counts in, oldest first with `sort` 1 (which ccxt sends), 10000 at most.
BITFINEX: Final = TradeWalk(by="time", page=10_000)

TRADE_WALKS: Final = {"kraken": KRAKEN, "binance": BINANCE, "binanceus": BINANCE, "bitfinex": BITFINEX}

# Asked for their newest candles, ccxt's classes for these reckon back from this machine's clock, not the exchange's.
NEWEST_BY_LOCAL_CLOCK: Final = frozenset({"coinbase"})

# Funding rates in one answer, where an exchange gives far fewer unless it is asked for more.
# developers.binance.com, Get Funding Rate History: 100 unless told otherwise, 1000 at most.
FUNDING_PAGES: Final = {"binance": 1000, "binanceusdm": 1000, "binancecoinm": 1000}

# What ccxt gives as the funding history of these is not what was paid at each settlement.
FUNDING_NOT_AS_PAID: Final = {
    "bitfinex": "ccxt gives the rate as it was expected at any moment",  # docs.bitfinex.com, Derivatives Status History
    "deribit": "ccxt gives the rate of eight hours for every hour",  # docs.deribit.com, get_funding_rate_history
}
