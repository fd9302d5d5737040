"""Running a result again: the same bars, code and conditions must give every figure again, byte for byte.

A result from elsewhere names code. It is run only where it is the code that the person has already, or where the person
says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from algotrade.backtest.setup import Setup
from algotrade.discover import Source, find_strategy, strategy_from_source
from algotrade.engine.risk import Limits
from algotrade.errors import AlgotradeError, FixCommand, NotAllowed
from algotrade.evaluate.rows import costs_of
from algotrade.ingest.inside import Markets, Wish, read_inside
from algotrade.ingest.past import past_candles
from algotrade.ingest.source import MarketData
from algotrade.market.candles import SeriesKey
from algotrade.market.instrument import Instrument
from algotrade.market.revisions import Restored
from algotrade.pipeline import Run, run_backtest
from algotrade.sources import code_hash, versions
from algotrade.store.database import Database
from algotrade.strategy.base import Bounds, Strategy
from algotrade.strategy.sizes import Sizing
from algotrade.verification.comparison import Difference, differences
from algotrade.verification.result_file import ResultFile

Named = TypeVar("Named", Instrument, Limits)


class Code(NamedTuple):
    """The strategies that are run for a result.

    Attributes:
        strategies: with the recorded parameters, by book; "" where there is one.
        own: they are the person's own copies, not the text in the result.
        same: all of their code is the recorded code; a module that one imports may have changed.
        outdated: recorded text is run, and the person's own strategy of that name is another by now.
    """

    strategies: Mapping[str, Strategy]
    own: bool
    same: bool
    outdated: bool = False


class Verification(NamedTuple):
    """What came of running a result again.

    Attributes:
        run: its id.
        bars: of the run.
        fills: of the run.
        intact: the file is as it was written.
        data: the candles, and where they are not those of the run.
        code: that was run.
        versions: name -> (recorded, now), for those that differ.
        checks: name -> (recorded, now), for checks that are judged differently.
        figures: that differ.
    """

    run: str
    bars: int
    fills: int
    intact: bool
    data: Restored
    code: Code
    versions: Mapping[str, tuple[str | None, str | None]]
    checks: Mapping[str, tuple[bool, bool]]
    figures: tuple[Difference, ...]

    @property
    def changed(self) -> list[str]:
        """In a word each, what is not as it was recorded; empty for a result that is verified."""
        found = {
            "file": not self.intact,
            "data": bool(self.data.undone or self.data.differing),
            "code": not self.code.same,
            "checks": bool(self.checks),
            "figures": bool(self.figures),
        }
        return [name for name, differs in found.items() if differs]


def code_of(result: ResultFile, sources: list[Source], *, named: str | None, run_recorded: bool) -> Code:
    """The code to run for a result: what the person names, else their own copy, else the recorded text if allowed.

    Args:
        result: from anywhere.
        sources: where the person's strategies lie.
        named: the strategy that the person wants to be run, whether it is the recorded one or not.
        run_recorded: the recorded text may be run.

    Raises:
        NotAllowed: the person has no such code, and the recorded text may not be run.
        FixCommand: there is no strategy `named`, it does not take the recorded parameters, or the result is of several.
    """
    several = result.body.get("strategies")
    if not several:
        return _code_of_one("", result.body["strategy"], sources, named=named, run_recorded=run_recorded)
    if named is not None:
        raise FixCommand(
            f"the result is of {len(several)} strategies, and --strategy names one", hint="algotrade verify latest"
        )
    codes = [_code_of_one(each["book"], each, sources, named=None, run_recorded=run_recorded) for each in several]
    return Code(
        {book: strategy for code in codes for book, strategy in code.strategies.items()},
        own=all(code.own for code in codes),
        same=all(code.same for code in codes),
        outdated=any(code.outdated for code in codes),
    )


def _code_of_one(
    book: str, recorded: Mapping[str, Any], sources: list[Source], *, named: str | None, run_recorded: bool
) -> Code:
    if named is not None:
        chosen = find_strategy(named, sources)(**recorded["parameters"])
        return Code({book: chosen}, own=True, same=code_hash(chosen) == recorded["hash"])
    there = _there_is(recorded["name"], sources)
    own = _own(recorded["name"], recorded["parameters"], sources) if there else None
    if own is not None and code_hash(own) == recorded["hash"]:
        return Code({book: own}, own=True, same=True)
    if not run_recorded:
        have = "is another" if there else "is not there"
        raise NotAllowed(
            f"the result holds code that is not yours: your {recorded['name']} {have}. Nothing was run; read"
            " body.strategy.source first"
        )
    strategy = strategy_from_source(recorded)
    return Code({book: strategy}, own=False, same=code_hash(strategy) == recorded["hash"], outdated=there)


def _there_is(name: str, sources: list[Source]) -> bool:
    try:
        find_strategy(name, sources)
    except AlgotradeError:
        return False
    return True


def _own(name: str, parameters: Mapping[str, Any], sources: list[Source]) -> Strategy | None:
    """The person's strategy of a name; None where it does not take these parameters."""
    try:
        return find_strategy(name, sources).made(parameters)
    except AlgotradeError:
        return None


def verify(result: ResultFile, code: Code, database: Database) -> Verification:
    """Run a result again and compare.

    Args:
        result: from `read_result`.
        code: from `code_of`.
        database: holds the candles.

    Raises:
        FixData: the candles are not stored.
    """
    body = result.body
    past = {data["symbol"]: past_candles({"data": data}, database) for data in recorded_series(body)}
    run = _run_again(body, code.strategies, {symbol: each.candles for symbol, each in past.items()}, database)
    return Verification(
        run=result.run,
        bars=body["data"]["bars"],
        fills=len(body["fills"]),
        intact=result.intact,
        data=Restored(
            next(iter(past.values())).candles,
            tuple(revision for each in past.values() for revision in each.undone),
            tuple(change for each in past.values() for change in each.differing),
        ),
        code=code,
        versions=MappingProxyType(_other_versions(body["versions"])),
        checks=MappingProxyType(_other_verdicts(body["checks"], run)),
        figures=tuple(differences(body, run.document)),
    )


def _other_versions(recorded: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    now = versions()
    both = {name: (recorded.get(name), now.get(name)) for name in sorted({*recorded, *now})}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def _other_verdicts(recorded: Mapping[str, Mapping[str, Any]], run: Run) -> dict[str, tuple[bool, bool]]:
    """Checks that were made both times and judged differently."""
    named = {} if run.checks is None else run.checks.named
    return {
        name: (recorded[name]["passed"], check.passed)
        for name, check in named.items()
        if check.passed is not None and recorded.get(name, {}).get("passed") not in (None, check.passed)
    }


def recorded_series(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What is recorded of every series of candles that a run read."""
    return [market["data"] for market in body.get("markets", ())] or [body["data"]]


def _run_again(
    body: Mapping[str, Any], strategies: Mapping[str, Strategy], tables: Mapping[str, pd.DataFrame], database: Database
) -> Run:
    instruments = [market["instrument"] for market in body.get("markets", ())] or [body["instrument"]]
    setup = _setup_of(body, [_known(Instrument, values) for values in instruments], strategies)
    series = [
        MarketData(
            SeriesKey(data["exchange"], data["symbol"], data["timeframe"], data["origin"]),
            tables[data["symbol"]],
            instrument,
            data["simulated"],
        )
        for data, instrument in zip(recorded_series(body), setup.instruments, strict=True)
    ]
    execution = body.get("execution", {})
    wish = Wish(execution.get("detail"), execution.get("trades", False), execution.get("funding", False))
    markets = read_inside(series, wish, database) if any(wish) else Markets(tuple(series))
    decides = strategies if len(strategies) > 1 else next(iter(strategies.values()))
    return run_backtest(decides, markets, setup, check="budget" if body["checks"] else "none", database=database)


def _setup_of(body: Mapping[str, Any], instruments: list[Instrument], strategies: Mapping[str, Strategy]) -> Setup:
    """The conditions of the run; what an early version did not record is as it was then."""
    costs, execution = body["costs"], body.get("execution", {})
    sizing = execution.get("sizing")
    known = {name: execution[name] for name in ("path", "touch", "detail", "rebalance_band") if name in execution}
    return Setup(
        instruments=tuple(instruments),
        timeframe=body["data"]["timeframe"],
        cash=costs["cash"],
        costs=costs_of(costs),
        bounds=Bounds(costs["leverage"], costs["allow_short"]),
        limits=_known(Limits, body["limits"]),
        calendar=body["calendar"],
        sizing=None if sizing is None else Sizing(**sizing),
        books=tuple(strategies) if len(strategies) > 1 else (),
        **known,
    )


def _known(kind: type[Named], values: Mapping[str, Any]) -> Named:
    """A named tuple from its plain values, those that it has."""
    return kind(**{name: values[name] for name in kind._fields if name in values})
