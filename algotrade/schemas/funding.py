"""What `fetch --funding` and `data drop --funding` print."""

from __future__ import annotations

from typing import Annotated, Literal

from algotrade.schemas.stored import SkippedRow
from algotrade.schemas.vocabulary import NAME, Count, Declared, ErrorKind, Symbol, Time, said


class FetchedFunding(Declared):
    """What became of the funding rates of one market."""

    exchange: str = said("the exchange, or what a file was imported as")
    symbol: Symbol = said("the perpetual contract, ccxt's unified symbol")
    added: Count = said("rates that were not stored before, a count")
    unchanged: Count = said("rates that came as they are stored, a count")
    revised: Count = said("settlements that were stored with another rate or time, a count")
    gaps: Count = said("stretches of what is stored in which settlements are missing, a count")
    first: Time | None = said("when the first stored one was settled; null if there is none")
    last: Time | None = said("when the last stored one was settled; null if there is none")
    complete: bool = said("everything that was asked for and can exist is stored")
    note: str = said("what a person should know, or the failure, in sentences; empty if there is nothing to say")
    error: ErrorKind | None = said("why it failed; null if it did not")


class FetchFunding(Declared):
    """What became of the funding rates of every market: what `fetch --funding` prints."""

    schema_: Annotated[Literal["algotrade.fetch_funding/1"], NAME]
    funding: list[FetchedFunding] = said("in the order in which they were asked for")
    skipped: list[SkippedRow] = said("of a file with --skip-bad")


class DropFunding(Declared):
    """Funding rates that were removed: what `data drop --funding` prints."""

    schema_: Annotated[Literal["algotrade.data_drop_funding/1"], NAME]
    exchange: str = said("the exchange, or what a file was imported as")
    symbol: Symbol = said("the perpetual contract, ccxt's unified symbol")
    removed: Count = said("how many rates were removed")
    again: str = said("the command that brings them again")
