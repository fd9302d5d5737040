"""What `backtest` prints: the document of one run or session, and its parts."""

from __future__ import annotations

from typing import Annotated, Literal

from algotrade.schemas.conditions import Bounds, Costs, Execution, Limits, Market, RanOn
from algotrade.schemas.vocabulary import (
    NAME,
    Calendar,
    Count,
    Declared,
    Digest,
    GapKind,
    Milliseconds,
    Nothing,
    Number,
    Position,
    Scalar,
    Series,
    SideNumber,
    Symbol,
    Time,
    Timeframe,
    said,
)

FillReason = Literal["signal", "stop_loss", "take_profit", "trailing_stop", "max_bars", "liquidation"]


class Data(Series):
    """The candles of a run."""

    start: Time = said("open time of the first bar")
    end: Time = said("open time of the last bar")
    bars: int = said("how many bars there are", ge=1)
    gaps: Count = said("bars missing between the first and the last")
    gap_kinds: dict[GapKind, Count] | None = said("missing bars by kind; null where nobody knows why")
    resampled_from: Timeframe | None = said("bar length of the stored candles that these were made of; null if stored")
    left_out: list[tuple[Time, Time]] = said("spans of bars that could not be made whole: open times, both inclusive")
    simulated: bool = said("the market is the demo exchange")
    hash: Digest = said("SHA-256 of the candles")


class Code(Declared):
    """A strategy with its parameters."""

    name: str = said("the strategy, as --strategy takes it")
    class_: str = said("its class", alias="class")
    file: str = said("the name of the file that its code is in")
    parameters: dict[str, Scalar] = said("the values that it ran with")
    hash: Digest = said("SHA-256 of its code")


class StrategyRun(Code):
    """What decided."""

    warmup: int | Literal["all"] | None = said("bars that live trading gives it before it decides; null if unknown")


class BookStrategy(Code):
    """What decided in one of several books."""

    book: str = said("the name of its book")


class Summary(Declared):
    """The figures of a run; null where one is undefined."""

    final_equity: Number = said("at the last close, quote units")
    total_return: Number = said("fraction of the cash at the start")
    annual_return: Number = said("compound, fraction a year")
    annual_volatility: Number = said("standard deviation of returns, fraction a year")
    sharpe: Number = said("ratio, annualised, risk-free rate 0")
    sortino: Number = said("ratio, annualised, target return 0")
    max_drawdown: Number = said("fraction of the highest equity before, not positive")
    calmar: Number = said("annual return over the size of the maximum drawdown, a ratio")
    round_trips: Count = said("closed ones, a count")
    win_rate: Number = said("fraction of the closed round trips")
    exposure: Number = said("fraction of the bars at whose close a position was held")
    fees_paid: Number = said("sum, quote units")
    buy_and_hold_return: Number = said("fraction of the cash at the start, of buying at the first open and holding")
    borrow_paid: Number = said("for borrowing what was sold short, quote units")
    funding_paid: Number = said("funding of perpetual contracts, quote units; negative where it was received")
    maker_share: Number = said("fraction of the notional traded that rested in the book")
    ambiguous_bars: Count = said("bars on which it mattered which way the price went")


class Check(Declared):
    """One honesty check."""

    passed: bool | None = said("null where it could not be judged")
    covered: Count = said("bars that were looked at")
    total: Count = said("bars that there were to look at")
    detail: str = said("the verdict in a sentence")


class Checks(Declared):
    """The honesty checks of a strategy over these candles."""

    look_ahead: Check = said("no signal depends on a later bar")
    warm_up: Check = said("the last `warmup` bars give the same signals as all bars")
    purity: Check = said("the same candles give the same signals")
    range: Check = said("signals lie within the bounds")


class RoundTrip(Declared):
    """From an entry until flat again."""

    entry_time: Time = said("open time of the bar of the first fill")
    entry_price: Number = said("average by quantity, quote units")
    exit_time: Time = said("open time of the bar of the last fill")
    exit_price: Number = said("average by quantity, quote units")
    side: Position = said("of the position")
    quantity: Number = said("entered in all, base units")
    profit: Number = said("after fees and charges, quote units")
    return_: Number = said("profit over what the entries cost, a fraction", alias="return")
    bars: Count = said("from entry to exit, bars")
    fees: Number = said("of all its fills, quote units")
    charges: Number = said("what holding it cost, quote units; negative where it was received")
    exit_reason: FillReason = said("why the last fill happened")
    path_dependent: bool = said("on a bar from entry to exit it mattered which way the price went")


class PartRoundTrip(RoundTrip):
    """The same in a portfolio."""

    symbol: Symbol = said("the market")
    strategy: str = said("the name of its book; empty where there is one strategy")


class OpenPosition(Declared):
    """What is held at the end, marked at the last close."""

    side: Position = said("of the position")
    quantity: float = said("base units", gt=0)
    entry_time: Time = said("open time of the bar on which it was opened")
    entry_price: Number = said("average cost without fees, quote units")
    price: Number = said("the last close, quote units")
    profit: Number = said("before fees, quote units")


class Rejection(Declared):
    """An order that was refused."""

    time: Time = said("open time of its bar")
    reason: str = said("code of the reason")
    detail: str = said("by how much, since when or until when; empty where there is nothing to add")


FillRow = tuple[
    Annotated[Milliseconds, said("open time of the bar, milliseconds since 1970, UTC")],
    Annotated[SideNumber, said("1 buy, -1 sell")],
    Annotated[float, said("quantity, base units")],
    Annotated[float, said("price, quote units")],
    Annotated[float, said("fee, quote units")],
    Annotated[Milliseconds, said("when it filled, inside the bar, milliseconds since 1970, UTC")],
    Annotated[FillReason, said("why the order was there")],
    Annotated[bool, said("it rested in the book and paid the maker's fee")],
    Annotated[float, said("fee taken from what was bought, base units")],
    Annotated[int, said("which of `parts`, counted from 0")],
]
ChargeRow = tuple[
    Annotated[Milliseconds, said("open time of the bar, milliseconds since 1970, UTC")],
    Annotated[Literal["borrow", "funding", "no_equity_left"], said("what for")],
    Annotated[float, said("amount, quote units; negative where it was received")],
    Annotated[int, said("how many fills came before")],
    Annotated[int, said("which of `parts`, counted from 0")],
]
AmbiguousRow = tuple[
    Annotated[Milliseconds, said("open time of the bar, milliseconds since 1970, UTC")],
    Annotated[float, said("account value at its close by the way that was worse for us, quote units")],
    Annotated[float, said("by the way that was better, quote units")],
    Annotated[bool, said("the two leave different positions, so that later bars decide")],
]
TargetRow = tuple[
    Annotated[Milliseconds, said("open time of the bar, milliseconds since 1970, UTC")],
    Annotated[float, said("target exposure from then on, fraction of equity")],
]


class PortfolioMarket(Declared):
    """One symbol of a portfolio."""

    data: Data = said("its candles")
    instrument: Market = said("the market")


class Part(Declared):
    """One symbol of a portfolio, traded by one strategy: judged as if its trades had been the only ones."""

    symbol: Symbol = said("the market")
    strategy: str = said("the name of its book; empty where there is one strategy")
    cash: float = said("of its whole book at the start, quote units")
    profit: Number = said("what it earned, an open position marked at the last close, quote units")
    summary: Summary = said("the figures")
    open_position: OpenPosition | None = said("held at the end; null when flat")
    targets: list[TargetRow] | None = said("changes of the target; null for a strategy that sends orders itself")
    ambiguous_bars: list[AmbiguousRow] = said("bars on which it mattered to the account which way its price went")
    rejections: list[Rejection] = said("orders that were refused")


class Judged(Declared):
    """What is known of a run or session; the part that `backtest` and `evaluate` have in common."""

    run: str = said("id of the run or session")
    data: Data = said("the candles; of a portfolio all of them together")
    strategy: StrategyRun = said("what decided; of several strategies the first, under the names of all")
    strategies: list[BookStrategy] = said("of several strategies each; empty for one")
    costs: Costs = said("what trading and holding cost")
    execution: Execution = said("how orders were sized and filled")
    ran_on: RanOn = said("the machine that made it")
    limits: Limits = said("risk limits")
    instrument: Market | None = said("the market; null for a portfolio")
    calendar: Calendar = said("what a year of bars is: every day, or trading days")
    summary: Summary = said("the figures")
    bounds: Bounds | None = said("final equity by either way through the ambiguous bars; null where there are none")
    ruined_at: Time | None = said("open time of the first bar at whose close nothing was left; null if there is none")
    buy_and_hold: Summary = said("the same figures of buying at the first open and holding")
    checks: Checks | Nothing = said("verdicts; empty where none were made")
    round_trips: list[RoundTrip | PartRoundTrip] = said("closed ones, in order of exit")
    open_position: OpenPosition | None = said("held at the end; null when flat, and for a portfolio")
    fills: list[FillRow] = said("executions, in order")
    charges: list[ChargeRow] = said("what holding cost, in order")
    ambiguous_bars: list[AmbiguousRow] = said("bars on which it mattered which way the price went")
    targets: list[TargetRow] | None = said("changes of the target; null for a strategy that sends orders itself")
    equity_hash: Digest = said("SHA-256 of the equity at each close")
    rejections: list[Rejection] = said("orders that were refused")
    markets: list[PortfolioMarket] = said("of a portfolio each symbol; empty for one symbol with one strategy")
    parts: list[Part] = said("of a portfolio each symbol with each strategy; empty likewise")
    versions: dict[str, str] = said("of Python, of algotrade and of the libraries that can change a figure")
    warnings: list[str] = said("sentences to read before the figures")


class Backtest(Judged):
    """A run: what `backtest` prints."""

    schema_: Annotated[Literal["algotrade.backtest/1"], NAME]
