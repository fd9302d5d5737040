"""Open a file of candles or trades, whatever its kind: its own first bytes tell it, its name does not."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, NamedTuple

from algotrade.errors import FixData
from algotrade.ingest.files.columns import find_columns, refuse_several_symbols, symbol_column, trade_columns
from algotrade.ingest.files.csv_blocks import read_blocks
from algotrade.ingest.files.csv_file import Dialect, Wanted, first_texts, five_columns, read_dialect, unpacked
from algotrade.ingest.files.json_file import read_json
from algotrade.ingest.files.parquet_file import FEATHER_MAGIC, OLD_FEATHER_MAGIC, PARQUET_MAGIC, open_arrow
from algotrade.ingest.files.rows import FileRows
from algotrade.ingest.files.sources import EMPTY_ZIP_MAGIC, ZIP_MAGIC, Source
from algotrade.ingest.files.times import TimeReader
from algotrade.market.trades import NS_PER_MS


class ImportOptions(NamedTuple):
    """How to read a file.

    Attributes:
        columns: field to column name, for those that are not recognised: {"time": "Trade Day"}.
        time_format: as for strptime; None to recognise ISO 8601 and numbers since 1970.
        close_only: the file has no open, high and low; they are stored as the close.
        skip_bad: store the good rows and quarantine the bad ones, instead of storing nothing.
        replace: write over stored candles that differ, instead of storing nothing.
        assumed_symbol: the symbol where neither the person nor the file's name says it; "" for none.
    """

    columns: Mapping[str, str] = MappingProxyType({})
    time_format: str | None = None
    close_only: bool = False
    skip_bad: bool = False
    replace: bool = False
    assumed_symbol: str = ""


AS_RECOGNISED: Final = ImportOptions()


class OpenRows(NamedTuple):
    """An open file.

    Attributes:
        blocks: its rows, as they stand there: candles with times in milliseconds, or trades with times in nanoseconds.
        has_volume: whether candles have volumes; they are 0 otherwise.
        holds_trades: the rows are trades.
    """

    blocks: Iterator[FileRows]
    has_volume: bool = True
    holds_trades: bool = False


@contextmanager
def open_rows(source: Source, options: ImportOptions) -> Iterator[OpenRows]:
    """Open a file and recognise what it is: CSV, JSON, both perhaps packed with gzip, Parquet or Feather.

    Raises:
        FixData: it is none of them, lacks a column, or is damaged; also while its rows are read.
    """
    with source.opened() as stream:
        magic = stream.peek(8)[:8]
        if magic.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
            raise FixData("it is an archive inside an archive; unpack it first")
        if magic.startswith(OLD_FEATHER_MAGIC):
            raise FixData("it is Feather of the first version, which is not read; save it again")
        arrow = magic.startswith((PARQUET_MAGIC, FEATHER_MAGIC))
        if not arrow:
            text = unpacked(stream)
            is_json = text.peek(1)[:1] in (b"[", b"{")
            opened = OpenRows(read_json(text)) if is_json else _open_csv(source, text, options)
            yield opened
            return
    if source.member:
        raise FixData("Parquet and Feather are not read inside an archive; unpack it first")
    with open_arrow(source.path, options.columns, options.time_format, close_only=options.close_only) as rows:
        yield OpenRows(*rows)


def _open_csv(source: Source, stream: io.BufferedReader, options: ImportOptions) -> OpenRows:
    with source.opened() as beginning:
        dialect = read_dialect(unpacked(beginning))
    trade = (0, 1, 2) if dialect.holds_trades else trade_columns(dialect.names)
    if trade is not None and not options.columns and not options.close_only:
        _refuse_several_markets(source, dialect)
        times = TimeReader(options.time_format, per_ms=NS_PER_MS)
        wanted = Wanted(trade[0], trade[1:])
        blocks = read_blocks(stream, dialect, wanted, times, fast=options.time_format is None)
        return OpenRows(blocks, holds_trades=True)
    columns = find_columns(dialect.names, options.columns, close_only=options.close_only)
    _refuse_several_markets(source, dialect)
    wanted, times = Wanted(columns.time, columns.numbers), TimeReader(options.time_format)
    blocks = read_blocks(stream, dialect, wanted, times, fast=options.time_format is None)
    five = (rows._replace(columns=five_columns(rows.columns)) for rows in blocks)
    return OpenRows(five, columns.volume is not None)


def _refuse_several_markets(source: Source, dialect: Dialect) -> None:
    position = symbol_column(dialect.names)
    if position is not None:
        with source.opened() as stream:
            refuse_several_symbols(first_texts(unpacked(stream), dialect, position, at_most=3))
