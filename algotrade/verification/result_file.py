"""A run as a file: `{"schema", "header", "body", "sha256"}`, where the hash covers the body's canonical JSON.

A file may come from anywhere. It is bounded in size, every value in it is typed, and what it says is never made into a
path or a command.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from algotrade.errors import AlgotradeError, FixConfiguration, FixData
from algotrade.market.candles import ORIGINS, divides, iso
from algotrade.market.instrument import validate_symbol
from algotrade.market.span import parse_span
from algotrade.market.timeframe import CALENDAR_DAYS, timeframe_ms
from algotrade.store.canonical import canonical_json
from algotrade.store.files import replace_file

SCHEMA: Final = "algotrade.result/1"
LARGEST: Final = 64 * 2**20  # bytes of a file
MOST_BARS: Final = 20_000_000  # of a run
SAVE_HINT: Final = "algotrade backtest --symbol BTC/USD --save result.json"
LEFT_OUT: Final = ("schema", "run")  # of a run's document: they belong to the header


class ResultFile(NamedTuple):
    """A result that was read: its header and body as they stand there, typed, and whether its own hash is right."""

    header: dict[str, Any]
    body: dict[str, Any]
    intact: bool

    @property
    def run(self) -> str:
        """Id of the run."""
        return str(self.header["run"])


# ---- writing --------------------------------------------------------------------------------------------------------
def result_of_run(document: Mapping[str, Any], created_ms: int) -> dict[str, Any]:
    """The content of a result file.

    Args:
        document: of a kept run, source and block hashes included.
        created_ms: when the run was made, wall clock.
    """
    body = {name: value for name, value in document.items() if name not in LEFT_OUT}
    header = {
        "run": document["run"],
        "created": iso(created_ms),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    return {"schema": SCHEMA, "header": header, "body": body, "sha256": body_hash(body)}


def write_result(content: Mapping[str, Any], path: Path) -> None:
    """Write a result file, readable by people: the whole file or none of it.

    Raises:
        FixConfiguration: it cannot be written.
    """
    try:
        replace_file(path, (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise FixConfiguration(f"cannot write {path}: {error.strerror}") from None


def body_hash(body: Mapping[str, Any]) -> str:
    """SHA-256, hexadecimal, of the body's canonical JSON."""
    return hashlib.sha256(canonical_json(body).encode("ascii")).hexdigest()


# ---- reading --------------------------------------------------------------------------------------------------------
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
FileName = Annotated[str, Field(max_length=200, pattern=r"^[^/\\\x00-\x1f\x7f-\x9f]+$")]
Identifier = Annotated[str, Field(max_length=100, pattern=r"^[^\W\d]\w*$")]
Names = Annotated[str, Field(max_length=1000, pattern=r"^[^\W\d]\w*( \+ [^\W\d][\w-]*)*$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Amount = Annotated[float, Field(ge=0)]


class _Typed(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Blocks(_Typed):
    length_ms: Annotated[int, Field(gt=0, le=2**53)]
    blocks: Annotated[list[tuple[int, Count, Line]], Field(max_length=1000)]


class _Data(_Typed):
    exchange: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
    symbol: Line
    timeframe: Line
    origin: Line
    start: Time
    end: Time
    bars: Annotated[int, Field(ge=1, le=MOST_BARS)]
    gaps: Count
    resampled_from: Line | None = None
    left_out: Annotated[list[tuple[Time, Time]], Field(max_length=100_000)] = []
    simulated: bool
    hash: Digest
    blocks: _Blocks


class _Strategy(_Typed):
    name: Names
    class_: Annotated[Identifier, Field(alias="class")]
    file: FileName
    parameters: dict[Identifier, bool | int | float | Line]
    hash: Digest
    source: Annotated[str, Field(max_length=2**20)]


class _BookStrategy(_Strategy):
    book: Line


class _Costs(_Typed):
    fee_rate: Fraction
    slippage_rate: Fraction
    maker_fee_rate: Annotated[float, Field(gt=-1, lt=1)] | None = None
    spread_rate: Fraction = 0.0
    impact_rate: Amount = 0.0
    max_volume_share: Amount = 0.0
    fee_schedule: Annotated[list[tuple[float, float, float]], Field(max_length=100)] = []
    fee_in_base: bool = False
    borrow_rate: Amount = 0.0
    maintenance_rate: Fraction = 0.005
    latency_bars: Count = 0
    latency_ms: Count = 0
    cash: Annotated[float, Field(gt=0)]
    leverage: Annotated[float, Field(gt=0, le=100)]
    allow_short: bool


class _Sizing(_Typed):
    kind: Identifier
    amount: float
    window: Annotated[int, Field(ge=1, le=10_000_000)]
    cap: float | None


class _Execution(_Typed):
    path: Literal["worst", "best"] = "worst"
    touch: bool = False
    detail: Line | None = None
    trades: bool = False
    funding: bool = False
    rebalance_band: Amount = 0.0
    sizing: _Sizing | None = None


class _Limits(_Typed):
    max_order_notional: Amount | None
    max_position_notional: Amount | None
    max_orders_per_day: Count | None
    max_daily_loss: Amount | None
    max_orders_per_minute: Count | None = None
    max_drawdown: Fraction | None = None
    max_open_positions: Count | None = None
    cooldown_bars: Count | None = None
    max_consecutive_losses: Count | None = None
    lock_bars: Count | None = None


class _Instrument(_Typed):
    symbol: Line
    quantity_step: Amount
    price_tick: Amount
    min_quantity: Amount
    min_notional: Amount
    taker_fee: float | None
    maker_fee: float | None
    can_short: bool


class _Check(_Typed):
    passed: bool | None
    covered: Count
    total: Count
    detail: str


FillRow = (
    tuple[int, int, float, float, float]  # as early versions kept it
    | tuple[int, int, float, float, float, int, Identifier, bool, float, Count]
)
AmbiguousRow = tuple[int, float, float, bool]


class _Market(_Typed):
    data: _Data
    instrument: _Instrument


class _Part(_Typed):
    symbol: Line
    strategy: Line
    cash: Amount
    profit: float | None
    summary: dict[Identifier, float | None]
    open_position: dict[Identifier, str | float | None] | None
    targets: list[tuple[int, float]] | None
    ambiguous_bars: list[AmbiguousRow]
    rejections: list[dict[Identifier, str]]


class _Body(_Typed):
    data: _Data
    strategy: _Strategy
    strategies: Annotated[list[_BookStrategy], Field(max_length=100)] = []
    costs: _Costs
    execution: _Execution = _Execution()
    ran_on: dict[Identifier, str] = {}
    limits: _Limits
    instrument: _Instrument | None
    calendar: Line
    summary: dict[Identifier, float | None]
    bounds: dict[Identifier, float] | None = None
    ruined_at: Time | None = None
    buy_and_hold: dict[Identifier, float | None]
    checks: dict[Identifier, _Check]
    round_trips: list[dict[Identifier, str | int | float | bool | None]]
    open_position: dict[Identifier, str | float | None] | None
    fills: list[FillRow]
    charges: list[tuple[int, Identifier, float, Count, Count]] = []
    ambiguous_bars: list[AmbiguousRow] = []
    targets: list[tuple[int, float]] | None
    equity_hash: Digest
    rejections: list[dict[Identifier, str]]
    markets: Annotated[list[_Market], Field(max_length=1000)] = []
    parts: Annotated[list[_Part], Field(max_length=32_000)] = []
    versions: dict[Line, Line]
    warnings: list[str]


class _Header(_Typed):
    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
    created: Time
    machine: Line


class _File(_Typed):
    schema_: Annotated[Literal["algotrade.result/1"], Field(alias="schema")]
    header: _Header
    body: _Body
    sha256: Digest


def read_result(content: bytes, name: str) -> ResultFile:
    """A result file from anywhere.

    Args:
        content: of the file.
        name: what to call it in messages.

    Raises:
        FixData: it is no result file; with the first thing that is wrong.
    """
    if len(content) > LARGEST:
        raise FixData(f"{name} is larger than {LARGEST >> 20} MiB: no result file", hint=SAVE_HINT)
    try:
        found = json.loads(content, object_pairs_hook=_unique, parse_constant=_refuse_constant)
        plain = canonical_json(found)
    except (ValueError, RecursionError) as error:
        raise FixData(f"{name} is not JSON of a result: {str(error)[:120]}", hint=SAVE_HINT) from None
    try:
        _File.model_validate_json(plain)
        _check_meaning(found["body"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:80] or "the file"
        raise FixData(f"{name} is no result file: {place}: {first['msg']}", hint=SAVE_HINT) from None
    except AlgotradeError as error:
        raise FixData(f"{name} is no result file: {error.message}", hint=SAVE_HINT) from None
    return ResultFile(found["header"], found["body"], body_hash(found["body"]) == found["sha256"])


def result_of_kept(document: Mapping[str, Any], created_ms: int) -> ResultFile:
    """A kept run as if it had been saved and read again.

    Raises:
        FixData: it was kept by a version that did not note what is needed.
    """
    content = canonical_json(result_of_run(document, created_ms)).encode()
    return read_result(content, f"run {document['run']}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _check_meaning(body: Mapping[str, Any]) -> None:
    """What types cannot say: the symbols, the timeframe and the spans are real, and as long as the bars need."""
    if body["calendar"] not in CALENDAR_DAYS:
        raise FixData(f"there is no calendar '{body['calendar']}'")
    markets = body.get("markets")
    if not markets and body["instrument"] is None:
        raise FixData("it names no market")
    for market in markets or [body]:
        _check_series(market["data"], market["instrument"]["symbol"])
    detail = body.get("execution", {}).get("detail")
    if detail is not None and not divides(detail, body["data"]["timeframe"]):
        raise FixData(f"{body['data']['timeframe']} bars are not walked along {detail} bars")


def _check_series(data: Mapping[str, Any], market: str) -> None:
    validate_symbol(data["symbol"])
    step = timeframe_ms(data["timeframe"])
    span = parse_span(data["start"], data["end"])
    if data["origin"] not in ORIGINS:
        raise FixData(f"there is no origin '{data['origin']}'")
    if span.start is None or span.end is None or (span.end - span.start) // step >= MOST_BARS:
        raise FixData(f"its span is longer than {MOST_BARS:,} bars")
    for start, end in data.get("left_out", ()):
        parse_span(start, end)
    if data.get("resampled_from") is not None and not divides(data["resampled_from"], data["timeframe"]):
        raise FixData(f"{data['timeframe']} bars are not made of {data['resampled_from']} bars")
    if market != data["symbol"]:
        raise FixData(f"its bars are of {data['symbol']}, its market is {market}")
