"""What is said of a run afterwards: `evaluate`, `verify` and `why`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, JsonValue

from algotrade.schemas.conditions import Costs
from algotrade.schemas.runs import Data, Judged, Summary
from algotrade.schemas.vocabulary import (
    NAME,
    Count,
    Declared,
    Nothing,
    Number,
    Time,
    said,
)


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
