"""What `fetch`, `data` and the lists of stored candles print."""

from __future__ import annotations

from typing import Annotated, Literal

from algotrade.schemas.judgements import Candle
from algotrade.schemas.vocabulary import (
    NAME,
    Count,
    Declared,
    Digest,
    ErrorKind,
    GapKind,
    Nothing,
    Number,
    Series,
    Symbol,
    Time,
    said,
)


class Chain(Declared):
    """A stretch of trades that was downloaded answer by answer, each asked for with what the one before gave."""

    start: Time = said("from when on it was asked for")
    last: Time = said("time of its newest trade")
    broken_after: Time | None = said("the day whose answers do not follow on those before it; null where all do")
    trades: Count = said("how many it holds")
    kept: Count = said("how many of them are stored themselves")
    pages: Count = said("the answers that brought them, a count")
    first_cursor: str = said("what its first answer was asked with")
    last_cursor: str = said("what asks for the next")


class DifferingBar(Declared):
    """A bar made of trades that is not as the exchange's own."""

    time: Time = said("its open time")
    made: Candle = said("its values from the trades")
    official: Candle = said("its values from the exchange")


class OfficialComparison(Declared):
    """Bars made of trades beside the exchange's own, where both are known."""

    equal: Count = said("bars that are the same to the last bit")
    different: Count = said("bars that are not")
    only_made: Count = said("bars that the exchange's own candles lack")
    only_official: Count = said("bars that the trades do not give")
    first_difference: DifferingBar | None = said("the first bar that differs; null where none does")


class Proof(Declared):
    """What proves that the trades of a series are complete."""

    unbroken: bool = said("the answers of every chain follow on each other")
    trades: Count = said("how many were downloaded")
    chains: list[Chain] = said("more than one where something between has not been fetched")
    comparison: OfficialComparison = said("with the exchange's own candles")


class FetchedSeries(Series):
    """What became of one series of a fetch."""

    added: Count = said("candles that were not stored before")
    unchanged: Count = said("candles that were stored with the same values")
    revised: Count = said("candles that were stored with other values")
    gaps: Count = said("bars missing in what was asked for")
    first: Time | None = said("open time of the first candle; null if there is none")
    last: Time | None = said("open time of the last; null if there is none")
    complete: bool = said("everything that was asked for and can exist is stored")
    note: str = said("what a person should know, or the failure, in sentences; empty if there is nothing to say")
    error: ErrorKind | None = said("why it failed; null if it did not")
    proof: Proof | None = said("of its trades; null where it was not made of trades")


class SkippedRow(Declared):
    """A row of a file that was not stored."""

    line: int = said("its line in the file, counted from 1", ge=1)
    reason: str = said("what is wrong with it")


class Fetch(Declared):
    """What became of every series: what `fetch` prints."""

    schema_: Annotated[Literal["algotrade.fetch/1"], NAME]
    series: list[FetchedSeries] = said("in the order in which they were asked for")
    skipped: list[SkippedRow] = said("of a file with --skip-bad")


# ---- list data ------------------------------------------------------------------------------------------------------
class StoredSeries(Series):
    """A stored series."""

    first: Time = said("open time of the first candle")
    last: Time = said("open time of the last")
    candles: Count = said("how many are stored")


class StoredFunding(Declared):
    """The stored funding rates of a market."""

    exchange: str = said("the exchange, or what a file was imported as")
    symbol: Symbol = said("the perpetual contract, ccxt's unified symbol")
    first: Time = said("when the first was settled")
    last: Time = said("when the last was settled")
    rates: Count = said("how many are stored")


class ListedData(Declared):
    """Stored series: what `list data` prints."""

    schema_: Annotated[Literal["algotrade.list_data/1"], NAME]
    data: list[StoredSeries] = said("by name")
    funding: list[StoredFunding] = said("funding rates, by name")


class Gap(Declared):
    """A hole, or a piece of one."""

    start: Time = said("open time of the first missing bar")
    end: Time = said("open time of the last")
    bars: int = said("missing bars", ge=1)
    kind: GapKind = said("why they are missing")
    evidence: str = said("how that is known")


class SeriesGaps(Series):
    """The holes of a series."""

    missing: Count = said("missing bars in all")
    kinds: dict[GapKind, Count] = said("missing bars by kind")
    holes: Count = said("holes, or pieces of one kind, in all")
    gaps: list[Gap] = said("the foremost, at most as many as --most says")


class ListedGaps(Declared):
    """Missing bars: what `list data --gaps` prints."""

    schema_: Annotated[Literal["algotrade.list_gaps/1"], NAME]
    series: list[SeriesGaps] = said("by name")


class RevisedCandle(Series):
    """A stored candle that came again with other values."""

    time: Time = said("its open time")
    seen: Time = said("when it came")
    old: Candle = said("its values before")
    new: Candle = said("its values as they came")


class ListedRevisions(Declared):
    """Changed candles: what `list data --revisions` prints."""

    schema_: Annotated[Literal["algotrade.list_revisions/1"], NAME]
    revisions: list[RevisedCandle] = said("the newest first")


RefusedCandle = tuple[
    Annotated[Number, said("open, quote units; null for no finite number, as with the others")],
    Annotated[Number, said("high, quote units")],
    Annotated[Number, said("low, quote units")],
    Annotated[Number, said("close, quote units")],
    Annotated[Number, said("volume, base units")],
]


class QuarantinedCandle(Series):
    """A candle that was refused."""

    time: Time | None = said("its open time; null if it had none")
    reason: str = said("what is wrong with it")
    seen: Time = said("when it came first")
    open: bool = said("no good candle has come in its place")
    values: RefusedCandle = said("as they came")


class ListedQuarantine(Declared):
    """Refused candles: what `list data --quarantine` prints."""

    schema_: Annotated[Literal["algotrade.list_quarantine/1"], NAME]
    quarantine: list[QuarantinedCandle] = said("by series, in order of time")


class ProvenSeries(Series, Proof):
    """What proves that the trades of one series are complete."""


class ListedProofs(Declared):
    """Proofs of the series that were made of trades: what `list data --proof` prints."""

    schema_: Annotated[Literal["algotrade.list_proof/1"], NAME]
    series: list[ProvenSeries] = said("by name")


# ---- data -----------------------------------------------------------------------------------------------------------
class Export(Series):
    """A series written into a file: what `data export` prints."""

    schema_: Annotated[Literal["algotrade.data_export/1"], NAME]
    candles: Count = said("how many were written")
    first: Time = said("open time of the first candle")
    last: Time = said("open time of the last")
    hash: Digest = said("SHA-256 of the candles")
    file: str = said("its path, as it was given")


class Import(Series):
    """An exported series put back: what `data import` prints."""

    schema_: Annotated[Literal["algotrade.data_import/1"], NAME]
    candles: Count = said("how many the file holds")
    added: Count = said("candles that were not stored before")
    unchanged: Count = said("candles that were stored with the same values")
    revised: Count = said("candles that were stored with other values")
    first: Time = said("open time of the first candle")
    last: Time = said("open time of the last")


class CheckedSeries(Series):
    """A series that was read and checked."""

    candles: Count = said("how many were read")
    first: Time | None = said("open time of the first candle; null if there is none")
    last: Time | None = said("open time of the last; null if there is none")
    trades: Count = said("stored trades that were read")
    problems: list[str] = said("what is wrong, in sentences")


class DataVerification(Declared):
    """Whether all that is stored is sound: what `data verify` prints."""

    schema_: Annotated[Literal["algotrade.data_verify/1"], NAME]
    same: bool = said("nothing is wrong")
    database: list[str] = said("what is wrong with the database itself, in sentences")
    series: list[CheckedSeries] = said("by name")


class Holdings(Declared):
    """What the store had of a series."""

    candles: Count = said("stored candles")
    quarantine: Count = said("refused candles")
    revisions: Count = said("changes of candles")
    trades: Count = said("stored trades")
    funding: Count = said("funding rates of its market, a count; they go with its last series")


class Drop(Series):
    """A series that was removed: what `data drop` prints."""

    schema_: Annotated[Literal["algotrade.data_drop/1"], NAME]
    removed: Holdings | Nothing = said("how much; empty where another program had removed it")
    again: str = said("the command that brings it again")
