"""Import funding rates from a file: CSV, perhaps packed with gzip, Parquet or Feather. All of it, or nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from algotrade.errors import AlgotradeError, FixCommand, FixData
from algotrade.exchange.base import DEMO
from algotrade.ingest.files.columns import find_funding_columns, refuse_several_symbols, symbol_column
from algotrade.ingest.files.csv_blocks import read_blocks
from algotrade.ingest.files.csv_file import Wanted, first_texts, read_dialect, unpacked
from algotrade.ingest.files.importing import EXCHANGE, SkippedRow, reading_flags
from algotrade.ingest.files.names import printable, quoted
from algotrade.ingest.files.open_rows import AS_RECOGNISED, ImportOptions
from algotrade.ingest.files.parquet_file import FEATHER_MAGIC, PARQUET_MAGIC, open_table
from algotrade.ingest.files.rows import EARLIEST_MS, BadRow, FileRows
from algotrade.ingest.files.sources import is_zip
from algotrade.ingest.files.times import TimeReader, format_against
from algotrade.ingest.funding.report import FundingReport, funding_report
from algotrade.market.funding import FundingRates, find_bad_rates, validate_perpetual
from algotrade.store.database import Database
from algotrade.store.funding import place_funding


class FundingImport(NamedTuple):
    """What became of a file: the report of its market, and the rows that were not stored."""

    report: FundingReport
    skipped: tuple[SkippedRow, ...]


def import_funding(
    database: Database,
    path: Path,
    market: tuple[str, str],
    options: ImportOptions = AS_RECOGNISED,
    *,
    now_ms: int,
) -> FundingImport:
    """Store a file's funding rates in one transaction, at the times that it gives. Its rows may be in any order.

    Args:
        database: the store.
        path: the file, with a column for the time and one for the rate, a fraction of the notional.
        market: the exchange and the perpetual contract that it is of.
        options: how to read it.
        now_ms: the time, milliseconds; rows after it are refused.

    Raises:
        FixData: the file or a row of it is bad, with the line, or it contradicts what is stored and the options do not
            say that it replaces that; nothing is stored.
        FixCommand: the exchange, the symbol, a column's field or the time format makes no sense.
    """
    exchange, symbol = market
    validate_perpetual(symbol)
    if EXCHANGE.fullmatch(exchange) is None or exchange == DEMO:
        raise FixCommand(
            f"{exchange[:40]!r} is not a name like binance, under which a file's funding could go",
            hint="algotrade list exchanges",
        )
    try:
        rows = _read(path, options)
        good, bad = _judged(rows, now_ms)
        _refuse_bad(rows, bad, len(good.times), skip_bad=options.skip_bad)
        with database.writing() as connection:
            written = place_funding(connection, exchange, symbol, good)
            if written.revised and not options.replace:
                raise FixData(
                    f"{written.revised:,} of its {len(good.times):,} settlements are stored with another rate or time;"
                    " nothing was stored",
                    hint="--replace",
                )
    except (FixData, FixCommand) as error:
        message = f"{printable(path.name or str(path))}: {printable(error.message)}"
        raise type(error)(message, hint=_whole_hint(error, path, market, options)) from None
    except OSError as error:
        raise FixData(f"{printable(path.name)} cannot be read: {error.strerror or error}") from None
    skipped = tuple(SkippedRow(row.line, row.reason) for row in bad)
    return FundingImport(funding_report(database, market, written=written), skipped)


def _read(path: Path, options: ImportOptions) -> FileRows:
    """All rows of a file: times, and rates of shape (1, n)."""
    if not path.exists():
        raise FixData("there is no such file")
    if path.is_dir() or is_zip(path):
        raise FixData("funding rates are read from one file, not from a folder or an archive")
    with path.open("rb") as stream:
        arrow = stream.peek(8)[:8].startswith((PARQUET_MAGIC, FEATHER_MAGIC))
        if not arrow:
            return _joined(_csv_blocks(path, stream, options))
    with open_table(path) as table:
        return _joined(table.rows(find_funding_columns(table.names, options.columns), options.time_format))


def _csv_blocks(path: Path, stream: io.BufferedReader, options: ImportOptions) -> Iterator[FileRows]:
    with _unpacked(path) as beginning:
        if beginning.peek(1)[:1] in (b"[", b"{"):
            raise FixData("funding rates are read from CSV, Parquet and Feather, not from JSON")
        dialect = read_dialect(beginning)
    time, rate = find_funding_columns(dialect.names, options.columns)
    if (position := symbol_column(dialect.names)) is not None:
        with _unpacked(path) as beginning:
            refuse_several_symbols(first_texts(beginning, dialect, position, at_most=3))
    times = TimeReader(options.time_format)
    fast = options.time_format is None
    yield from read_blocks(unpacked(stream), dialect, Wanted(time, (rate,)), times, fast=fast)


@contextmanager
def _unpacked(path: Path) -> Iterator[io.BufferedReader]:
    with path.open("rb") as stream:
        yield unpacked(stream)


def _joined(blocks: Iterator[FileRows]) -> FileRows:
    found = list(blocks)
    if not found:
        raise FixData("it has no rows")
    lines, times = (np.concatenate(parts) for parts in ([b.lines for b in found], [b.times for b in found]))
    columns = np.concatenate([block.columns for block in found], axis=1)
    return FileRows(lines, times, columns, tuple(row for block in found for row in block.bad), found[0].place)


def _judged(rows: FileRows, now_ms: int) -> tuple[FundingRates, list[BadRow]]:
    """The good rates in rising time, and the bad rows in the file's order."""
    order = np.argsort(rows.times, kind="stable")
    lines, rates = rows.lines[order], FundingRates(rows.times[order], rows.columns[0, order])
    reasons = [
        ("the time lies before 1901", rates.times < EARLIEST_MS),
        ("the time lies in the future", rates.times > now_ms),
        *find_bad_rates(rates),
    ]
    bad, good = list(rows.bad), np.ones(len(lines), np.bool_)
    for reason, mask in reasons:
        bad += [BadRow(line, reason) for line in lines[mask & good].tolist()]
        good &= ~mask
    return rates.kept(good), sorted(bad, key=lambda row: row.line)


def _refuse_bad(rows: FileRows, bad: list[BadRow], good: int, *, skip_bad: bool) -> None:
    """Unless bad rows may be skipped and good ones are left, an error."""
    if not bad and not good:
        raise FixData("it has no rows")
    if not bad or (skip_bad and good):
        return
    more = f" ({len(bad):,} bad rows in all)" if len(bad) > 1 else ""
    form = None if good else format_against(bad[0].reason)
    raise FixData(
        f"{rows.place} {bad[0].line}: {bad[0].reason}{more}; nothing was stored",
        hint="--skip-bad" if good > len(bad) else f"--time-format '{form}'" if form else None,
    )


def _whole_hint(error: AlgotradeError, path: Path, market: tuple[str, str], options: ImportOptions) -> str | None:
    """The command to type, where a reader of files could only name the flag: as it was typed, and with the flag."""
    if error.hint is None or not error.hint.startswith("--"):
        return error.hint
    flag = error.hint.partition(" ")[0]
    reading = "".join(f" {given}" for given in reading_flags(options) if given.partition(" ")[0] != flag)
    command = f"algotrade fetch --funding --exchange {market[0]} --symbol {market[1]} --from {quoted(path)}"
    return f"{command}{reading} {error.hint}"
