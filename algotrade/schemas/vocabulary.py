"""The words that documents are declared in: one key, one line, with its unit where it is a number."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from algotrade.market.candles import ORIGINS
from algotrade.market.gap_pieces import KINDS as GAP_KINDS
from algotrade.market.timeframe import CALENDAR_DAYS

TIME_PATTERN: Final = r"^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{3})?Z$"


class Declared(BaseModel):
    """A JSON object: every key is required, and there are no others."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Declared):
    """An object without keys."""


def said(description: str, **constraints: Any) -> Any:
    """A required key: what it holds, and in which unit."""
    return Field(description=description, **constraints)


def unless(default: Any, description: str, **constraints: Any) -> Any:
    """A key that is left out where it holds its default."""
    told = "null" if default is None else str(default).lower() if isinstance(default, bool) else default
    why = "if there is none" if default in ("", ()) else f"where it is {told}"
    return Field(default=default, description=f"{description}; left out {why}", **constraints)


def _one_of(*values: str) -> Any:
    return Field(json_schema_extra={"enum": list(values)})


NAME: Final = Field(alias="schema", description="name and version of the schema of this object")
Time = Annotated[str, Field(pattern=TIME_PATTERN, json_schema_extra={"format": "date-time"})]  # ISO 8601, UTC
Milliseconds = Annotated[int, Field(description="milliseconds since 1970, UTC")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # SHA-256, hexadecimal
Symbol = Annotated[str, Field(min_length=1, examples=["BTC/USD"])]
Timeframe = Annotated[str, Field(pattern="^[1-9][0-9]{0,3}[smhdw]$", examples=["15m", "1d"])]
Origin = Annotated[str, _one_of(*ORIGINS)]
GapKind = Annotated[str, _one_of(*GAP_KINDS)]
Calendar = Annotated[str, _one_of(*CALENDAR_DAYS)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Number = float | None  # null where it is undefined
Scalar = bool | int | float | str  # a strategy's parameter
Position = Literal["long", "short"]
SideNumber = Literal[1, -1]

ErrorKind = Literal[
    "bug", "usage", "configuration", "strategy", "data", "gate", "unreachable", "busy", "refused", "interrupted", "pipe"
]


class Series(Declared):
    """A series of candles."""

    exchange: str = said("the exchange, or what a file was imported as")
    symbol: Symbol = said("the market, ccxt's unified symbol")
    timeframe: Timeframe = said("length of a bar")
    origin: Origin = said("who made the candles")


class FailedWith(Declared):
    """What ended a command."""

    code: int = said("exit code of the process", ge=0, le=255)
    kind: ErrorKind = said("what kind of failure it is")
    message: str = said("a sentence: what was wrong and what was given")
    hint: str | None = said("the command to type next; null if there is none")


class Failure(Declared):
    """What every command prints instead of its result when it fails; `live` as its last line."""

    schema_: Annotated[Literal["algotrade.error/1"], NAME]
    error: FailedWith = said("what was wrong")
