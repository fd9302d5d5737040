"""Import candles from files: CSV, JSON, Parquet, Feather. All of it is judged before any of it is stored."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from algotrade.errors import FixCommand, FixData
from algotrade.exchange.base import DEMO
from algotrade.ingest.files.gather import Gathered, Gatherer, checked_blocks
from algotrade.ingest.files.names import printable, quoted
from algotrade.ingest.files.open_rows import AS_RECOGNISED, ImportOptions
from algotrade.ingest.files.placing import Placing
from algotrade.ingest.files.rows import BadRow
from algotrade.ingest.files.sources import FoundSeries, find_sources
from algotrade.ingest.files.spool import Spool
from algotrade.market.candles import COLUMNS, RefusedCandle, SeriesKey, iso
from algotrade.market.instrument import validate_symbol
from algotrade.market.spikes import FACTOR
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.arrivals import Evidence, put_candles
from algotrade.store.database import Database
from algotrade.store.snapshots import refresh_snapshot

NO_WHOLE_BAR: Final = "its trades make no whole bar: one is known to be over by a trade after it"
NO_CLOSED_BAR: Final = "no good bar of it has closed yet"
FROM_TRADES: Final = "made of trades; the first and the last bar may lack some and are left out"
EXCHANGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class SkippedRow(NamedTuple):
    """A row that was not stored: its line in the file (its row, in Parquet) counted from 1, and the reason."""

    line: int
    reason: str


class ImportReport(NamedTuple):
    """What became of a file.

    Attributes:
        key: the series that was written.
        rows: good rows, each a candle.
        added: candles that were not stored before.
        unchanged: candles that were stored with the same values.
        revised: candles that were stored with other values; those of the file are stored now, as was asked for.
        skipped: rows that were not stored, and why.
        first: open time of the file's first candle.
        last: open time of its last.
        gaps: bars missing between the two.
        note: what a person should know, in sentences; "" when there is nothing to say.
    """

    key: SeriesKey
    rows: int
    added: int
    unchanged: int
    revised: int
    skipped: tuple[SkippedRow, ...]
    first: int
    last: int
    gaps: int
    note: str

    @property
    def timeframe(self) -> str:
        """The given timeframe, or the one that the rows told."""
        return self.key.timeframe


def import_file(
    db: Database, path: Path, key: SeriesKey, options: ImportOptions = AS_RECOGNISED, *, now_ms: int
) -> ImportReport:
    """Store a file's candles, all of them in one transaction, with the origin "import".

    Trades are made into candles of the timeframe, with the origin "trades". The file may also be a folder or a zip
    archive: of the files in it those are read and joined whose names are those of the series. Memory does not grow
    with the file: its good rows wait in a temporary file until all are judged.

    Args:
        db: the store.
        path: the file.
        key: the series; where symbol or timeframe are empty, the file's name tells them if it is of a known form, and
            the rows tell the timeframe.
        options: how to read the file.
        now_ms: the time, milliseconds; rows after it are refused, and a bar that is still forming is left out.

    Raises:
        FixData: the file or a row of it is bad, with the line, or candles are stored with other values and the
            options do not say that the file replaces them; nothing is stored.
        FixCommand: the symbol, exchange, timeframe, a column's field or the time format makes no sense.
    """
    if key.symbol:
        validate_symbol(key.symbol)
    if EXCHANGE.fullmatch(key.exchange) is None:
        raise FixCommand(f"{key.exchange[:40]!r} is not a name like kraken", hint="algotrade list exchanges")
    if key.exchange == DEMO:
        raise FixCommand(
            "the demo exchange makes its candles up; a file's go under another name",
            hint=f"algotrade fetch --exchange mine{_symbol_flag(key)} --from {quoted(path)}",
        )
    if key.timeframe:
        timeframe_ms(key.timeframe)
    try:
        found = find_sources(path, key.symbol, key.timeframe)
        symbol = validate_symbol(found.symbol or options.assumed_symbol)
        key = key._replace(symbol=symbol, timeframe=found.timeframe)
        with Spool() as spool:
            gathered = Gatherer(spool, key.timeframe, options, now_ms).gather(found.sources)
            report = _store(db, spool, key, gathered, replace=options.replace, now_ms=now_ms)
            return report._replace(note="; ".join(filter(None, [*_notes(found, gathered, options), report.note])))
    except (FixData, FixCommand) as error:
        message = f"{_shown(path)}: {printable(error.message)}"
        raise type(error)(message, hint=_whole_hint(error.hint, path, key, options)) from None
    except OSError as error:
        raise FixData(f"{_shown(path)} cannot be read: {error.strerror or error}") from None


def _store(
    db: Database, spool: Spool, key: SeriesKey, gathered: Gathered, *, replace: bool, now_ms: int
) -> ImportReport:
    """Write the judged candles and the rows that were left out, in one transaction."""
    key = key._replace(timeframe=gathered.timeframe, origin="trades" if gathered.from_trades else "import")
    step = timeframe_ms(key.timeframe)
    rows, first, last, forming = 0, None, 0, 0
    with db.writing() as connection:
        placing = Placing(connection, key, Evidence(now_ms), replace=replace)
        for checked, _ in checked_blocks(spool, key.timeframe):
            block = checked.kept(~np.isin(checked.times, gathered.left_out))
            closed = int(np.searchsorted(block.times, now_ms - step, side="right"))
            forming += len(block.times) - closed
            if not closed:
                continue
            times, columns = block.times[:closed], block.columns[:, :closed]
            placing.put(times, columns)
            first, last, rows = int(times[0]) if first is None else first, int(times[-1]), rows + closed
        if first is None:
            raise FixData(NO_WHOLE_BAR if gathered.from_trades else NO_CLOSED_BAR)
        if objection := placing.objection():
            raise FixData(objection, hint="--replace")
        refused = [_refused(row) for row in gathered.bad]
        put_candles(connection, key, np.empty(0, np.int64), np.empty((5, 0)), Evidence(now_ms, refused))
    refresh_snapshot(db, key)
    return ImportReport(
        key,
        rows,
        *placing.written,
        skipped=tuple(SkippedRow(row.line, row.reason) for row in gathered.bad),
        first=first,
        last=last,
        gaps=(last - first) // step + 1 - rows,
        note="the last bar is still forming and was left out" if forming else "",
    )


def _refused(row: BadRow) -> RefusedCandle:
    """A bad row for the quarantine, which holds finite values alone."""
    values = tuple(value if math.isfinite(value) else None for value in row.values)
    reason = f"line {row.line} of a file: {row.reason}"
    return RefusedCandle(row.time, reason, values) if len(values) == len(COLUMNS) else RefusedCandle(row.time, reason)


def _notes(found: FoundSeries, gathered: Gathered, options: ImportOptions) -> list[str]:
    notes = {
        found.doubt: bool(found.doubt),
        found.taken: bool(found.taken),
        f"the file is taken for {options.assumed_symbol}; --symbol says otherwise": not found.symbol,
        f"joined from {len(found.sources)} files": len(found.sources) > 1,
        f"the timeframe is {gathered.timeframe}, from the step between rows": gathered.inferred,
        FROM_TRADES: gathered.from_trades,
        _spikes(gathered): gathered.spikes > 0,
        "open, high and low are stored as the close": options.close_only,
        "the file has no volume: it is stored as 0": not gathered.has_volume,
    }
    return [note for note, applies in notes.items() if applies]


def _spikes(gathered: Gathered) -> str:
    """How many prices look wrong, and what became of them."""
    one = gathered.spikes == 1
    when = iso(gathered.first_spike).removesuffix("T00:00:00Z")
    said = f"{gathered.spikes:,} {'bar has' if one else 'bars have'} a price {FACTOR:.0f} times off those around"
    said += f" it, {when}" if one else f" them, the first {when}"
    if len(gathered.left_out):
        return f"{said}; left out"
    return said if gathered.from_trades else f"{said}; stored all the same, --skip-bad leaves such bars out"


def _whole_hint(hint: str | None, path: Path, key: SeriesKey, options: ImportOptions) -> str | None:
    """The command to type, where a reader of files could only name the flag: as it was typed, and with the flag."""
    if hint is None or not hint.startswith("--"):
        return hint
    symbol = "" if "--symbol" in hint else _symbol_flag(key)
    timeframe = f" --timeframe {key.timeframe}" if key.timeframe and "--timeframe" not in hint else ""
    reading = "".join(f" {flag}" for flag in reading_flags(options) if flag.partition(" ")[0] not in hint)
    return f"algotrade fetch --exchange {key.exchange}{symbol}{timeframe} --from {quoted(path)}{reading} {hint}"


def reading_flags(options: ImportOptions) -> list[str]:
    """How the file is read, as flags."""
    columns = ",".join(f"{field}={name}" for field, name in options.columns.items())
    flags = {
        f"--columns {shlex.quote(columns)}": bool(columns) and columns.isprintable(),
        f"--time-format {shlex.quote(options.time_format or '')}": (options.time_format or "").isprintable()
        and options.time_format is not None,
        "--close-only": options.close_only,
        "--skip-bad": options.skip_bad,
        "--replace": options.replace,
    }
    return [flag for flag, given in flags.items() if given]


def _symbol_flag(key: SeriesKey) -> str:
    return f" --symbol {key.symbol}" if key.symbol else ""


def _shown(path: Path) -> str:
    """A file's name for messages, without anything that a terminal would obey."""
    return printable(path.name or str(path))
