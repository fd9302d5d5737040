"""What `backtest`, `evaluate`, `verify` and `why` print: documents about one run or session."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, JsonValue, RootModel

from algotrade.schemas.vocabulary import (
    NAME,
    Amount,
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


class FeeTier(RootModel[tuple[float, float, float]]):
    """Fees from a volume of 30 days on: that volume in quote units, the maker's and the taker's fee as fractions."""


class Costs(Declared):
    """What trading and holding cost, and with what it began."""

    fee_rate: Amount = said("fraction of the notional of each fill that takes")
    slippage_rate: Amount = said("fraction of the price by which a market or stop order is worse")
    maker_fee_rate: float | None = said("fraction of the notional of each fill that rested; null: as fee_rate")
    spread_rate: Amount = said("between bid and ask, fraction of the price")
    impact_rate: Amount = said("fraction by which an order as large as a bar's volume moves the price")
    max_volume_share: Amount = said("of a bar's volume that our orders fill at most, fraction; 0 for no bound")
    fee_schedule: list[FeeTier] = said("fees by the volume of 30 days; empty where they do not depend on it")
    fee_in_base: bool = said("fees of buys were taken from what was bought")
    borrow_rate: Amount = said("fraction of a short's notional, a year")
    maintenance_rate: Amount = said("fraction of a position's notional, below which a leveraged one is liquidated")
    latency_bars: Count = said("bars whose opens an order let pass before it worked")
    latency_ms: Count = said("until an order worked, milliseconds")
    cash: float = said("at the start, quote units", gt=0)
    leverage: float = said("largest exposure, a multiple of equity", gt=0)
    allow_short: bool = said("exposure below zero was allowed")


class Sizing(Declared):
    """What a target of 1 meant."""

    kind: Literal["fraction", "quantity", "notional", "risk", "volatility", "kelly"] = said("how it is reckoned")
    amount: float = said("of that; unit by its kind")
    window: int = said("how many closes volatility and kelly look at", ge=1)
    cap: float | None = said("largest exposure, fraction of equity; null for the leverage")


class Execution(Declared):
    """How orders were sized and filled, beside the costs."""

    path: Literal["worst", "best"] = said("which way through an ambiguous bar was taken")
    touch: bool = said("a limit filled where the price reached it, not only where it went through")
    detail: Timeframe | None = said("bar length of the finer candles that bars were walked along; null for none")
    trades: bool = said("bars were walked along public trades")
    funding: bool = said("funding of perpetual contracts was charged")
    rebalance_band: Amount = said("fraction of equity that may drift from the target before it is traded again")
    sizing: Sizing | None = said("what a target of 1 meant; null: all of the equity")


class RanOn(Declared):
    """The machine that made the result; both give the same."""

    machine: Literal["kernel", "event loop"] = said("which one")
    reason: str = said("why that one; empty where it needs no reason")


class Bounds(Declared):
    """Final equity by either way through every ambiguous bar."""

    worst: float = said("the way that was worse for us, quote units")
    best: float = said("the way that was better, quote units")


class Limits(Declared):
    """Risk limits; null means none."""

    max_order_notional: Amount | None = said("of one order, quote units")
    max_position_notional: Amount | None = said("of the position, quote units")
    max_orders_per_day: Count | None = said("orders in a UTC day")
    max_daily_loss: Amount | None = said("loss in a UTC day, quote units")
    max_orders_per_minute: Count | None = said("orders in 60 seconds")
    max_drawdown: Amount | None = said("fraction of the highest equity")
    max_open_positions: Count | None = said("symbols held at one time, a count")
    cooldown_bars: Count | None = said("bars without new orders in a symbol after a losing round trip")
    max_consecutive_losses: Count | None = said("losing round trips in a row that lock a symbol")
    lock_bars: Count | None = said("bars for which it is locked; null: for good")


class Market(Declared):
    """What can be traded, and in which steps; 0 stands for an unknown step or minimum."""

    symbol: Symbol = said("the market, ccxt's unified symbol")
    quantity_step: Amount = said("quantities are multiples of it, base units")
    price_tick: Amount = said("prices are multiples of it, quote units")
    min_quantity: Amount = said("smallest order, base units")
    min_notional: Amount = said("smallest order, quote units")
    taker_fee: Number = said("fraction of the notional; null where unknown")
    maker_fee: Number = said("fraction of the notional; null where unknown")
    can_short: bool = said("positions below zero can be held; not on spot markets")


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


class Period(Declared):
    """A month or a year, UTC."""

    period: str = said('"2024-01" or "2024"', pattern="^[0-9]{4}(-[0-9]{2})?$")
    return_: Number = said("fraction of the equity at the end of the period before", alias="return")
    max_drawdown: Number = said("within the period, fraction, not positive")
    end_equity: Number = said("at its last close, quote units")
    bars: int = said("bars that opened in it", ge=1)


class Drawdown(Declared):
    """A stretch below the highest equity so far."""

    start: Time = said("open time of the bar with the highest equity")
    trough: Time = said("open time of the bar with the lowest")
    recovery: Time | None = said("open time of the bar that reached the highest again; null if none has")
    depth: Number = said("fraction, negative")
    bars: int = said("bars from start to recovery, or to the last one", ge=1)


class RoundTripDistribution(Declared):
    """What a typical, a good and a bad round trip looks like; null where undefined."""

    count: Count = said("closed round trips")
    wins: Count = said("those with a profit, a count")
    losses: Count = said("those with a loss, a count")
    win_rate: Number = said("fraction of all")
    mean_return: Number = said("fraction of what the entries cost")
    median_return: Number = said("fraction of what the entries cost")
    best_return: Number = said("fraction of what the entries cost")
    worst_return: Number = said("fraction of what the entries cost")
    profit_factor: Number = said("profits over losses, a ratio")
    longest_winning_streak: Count = said("round trips in a row")
    longest_losing_streak: Count = said("round trips in a row")
    mean_bars: Number = said("from entry to exit, bars")


class Evaluation(Judged):
    """A run or session in more depth: what `evaluate` prints."""

    schema_: Annotated[Literal["algotrade.evaluate/1"], NAME]
    by_month: list[Period] = said("months with bars, in order")
    by_year: list[Period] = said("years with bars, in order")
    drawdowns: list[Drawdown] = said("the deepest, deepest first")
    round_trip_distribution: RoundTripDistribution = said("of the closed round trips")
    break_even_fee: Number = said("fee rate at which the profit is gone, fraction; null if there is none without fees")


class Compared(Declared):
    """One of two that are compared."""

    run: str = said("id of the run or session")
    data: Data = said("the candles")
    costs: Costs = said("what trading cost")
    summary: Summary = said("the figures")
    break_even_fee: Number = said("fee rate at which the profit is gone, fraction; null if there is none without fees")


class Comparison(Declared):
    """Two runs or sessions: what `evaluate` prints with two names."""

    schema_: Annotated[Literal["algotrade.comparison/1"], NAME]
    a: Compared = said("the first")
    b: Compared = said("the second")


class VersionThenAndNow(Declared):
    """A version that is another one now; null where there is none."""

    recorded: str | None = said("when the run was made")
    now: str | None = said("now")


class VerdictThenAndNow(Declared):
    """A check that is judged otherwise now: whether it passed."""

    recorded: bool = said("when the run was made")
    now: bool = said("now")


Candle = tuple[
    Annotated[float, said("open, quote units")],
    Annotated[float, said("high, quote units")],
    Annotated[float, said("low, quote units")],
    Annotated[float, said("close, quote units")],
    Annotated[float, said("volume, base units")],
]


class RevisedBar(Declared):
    """A bar of the run that was revised since, by its exchange or by another import."""

    time: Time = said("open time of the bar")
    seen: Time = said("when it came with other values")
    then: Candle = said("its values in the run")
    now: Candle = said("its values as they are stored now")


class DifferingBlock(Declared):
    """A stretch of bars that is not what it was, and no known revision explains it."""

    start: Time = said("open time of its first possible bar")
    then: int | None = said("bars in it when the run was made; null for none")
    now: int | None = said("bars in it now; null for none")


class DifferingFigure(Declared):
    """A figure that did not come out again."""

    place: str = said("where it stands in the run's document")
    recorded: JsonValue = said("what was recorded")
    computed: JsonValue = said("what came out")


class Verification(Declared):
    """What came of running a result again: what `verify` prints."""

    schema_: Annotated[Literal["algotrade.verify/1"], NAME]
    run: str = said("id of the run")
    same: bool = said("nothing changed")
    changed: list[Literal["file", "data", "code", "checks", "figures"]] = said("what is not as it was recorded")
    bars: int = said("bars of the run", ge=1)
    fills: Count = said("fills of the run")
    own_code: bool = said("a strategy of the person's own was run, not the recorded text")
    outdated: bool = said("the recorded text was run; the person's own strategy of that name is another by now")
    versions_changed: dict[str, VersionThenAndNow] = said("those that differ, by name")
    revised: list[RevisedBar] = said("bars that were revised; the run is repeated on the bars as they were")
    blocks: list[DifferingBlock] = said("stretches of bars that differ without a known revision")
    checks: dict[str, VerdictThenAndNow] = said("those that are judged otherwise now, by name")
    figures: list[DifferingFigure] = said("those that differ")


class Saw(Declared):
    """The bar and, by name, the columns that the strategy computed."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float | str | None]

    open: float = said("quote units")
    high: float = said("quote units")
    low: float = said("quote units")
    close: float = said("quote units")
    volume: float = said("base units")


class Wanted(Declared):
    """The target."""

    exposure: Number = said("from this close on, fraction of equity")
    exposure_before: Number = said("at the close before, fraction of equity")


class Did(Declared):
    """The account."""

    equity_at_close: Number = said("quote units")


class Refused(Did):
    """The account, where an order of this bar was refused."""

    refused: str = said("code of the reason")


class FillAtOpen(Declared):
    """An execution at the next open."""

    time: Time = said("open time of the bar")
    side: Literal["buy", "sell"] = said("of the order")
    quantity: float = said("base units")
    price: float = said("quote units")
    fee: float = said("quote units")


class Explanation(Declared):
    """What the strategy saw, wanted and did at one bar: what `why` prints."""

    schema_: Annotated[Literal["algotrade.why/1"], NAME]
    bar: Time = said("its open time")
    simulated: bool = said("the market is the demo exchange")
    title: str = said("which bar of how many")
    answer: str = said("what happened, in a sentence")
    saw: Saw = said("the bar and the strategy's own columns")
    wanted: Wanted | Nothing = said("the target; empty for a strategy that sends orders itself")
    did: Did | Refused = said("what was refused, and the account at this close")
    fills: list[FillAtOpen] = said("at the next open")
