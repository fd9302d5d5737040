"""Open Parquet files and Feather files (extra `parquet`); arrow_rows.py reads what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from algotrade.errors import FixData
from algotrade.ingest.files.arrow_rows import read_batches
from algotrade.ingest.files.columns import find_columns, refuse_several_symbols, symbol_column
from algotrade.ingest.files.csv_file import five_columns
from algotrade.ingest.files.rows import FileRows

PARQUET_MAGIC: Final = b"PAR1"
FEATHER_MAGIC: Final = b"ARROW1"
OLD_FEATHER_MAGIC: Final = b"FEA1"
BATCH_ROWS: Final = 1 << 17


class ArrowTable(NamedTuple):
    """An open file.

    Attributes:
        names: of its columns.
        read: what reads the named columns, batch by batch.
    """

    names: Sequence[str]
    read: Callable[[Sequence[str]], Iterator[Any]]

    def rows(self, positions: Sequence[int], time_format: str | None) -> Iterator[FileRows]:
        """Every row in blocks, counted from 1.

        Args:
            positions: of the time, and of the columns of numbers.
            time_format: for times kept as text, as for strptime.
        """
        used = [self.names[position] for position in positions]
        return read_batches(self.read(list(dict.fromkeys(used))), used, time_format)


@contextmanager
def open_table(path: Path) -> Iterator[ArrowTable]:
    """A file of one market, open.

    Raises:
        FixData: pyarrow is not installed, the file is damaged, or it holds several markets; also while rows are read.
    """
    kind = "Parquet" if _is_parquet(path) else "Feather"
    try:
        from pyarrow import ArrowException
    except ImportError:
        raise FixData(f"{kind} files need pyarrow", hint='pip install "algotrade[parquet]"') from None
    try:
        with _open_parquet(path) if kind == "Parquet" else _open_feather(path) as (schema, read):
            position = symbol_column(schema.names)
            if position is not None:
                refuse_several_symbols(_first_texts(read([schema.names[position]])))
            yield ArrowTable(schema.names, read)
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the file's
        raise FixData(f"not a whole {kind} file: {(str(error).splitlines() or ['it is damaged'])[0][:120]}") from None


@contextmanager
def open_arrow(
    path: Path, names: Mapping[str, str], time_format: str | None, *, close_only: bool
) -> Iterator[tuple[Iterator[FileRows], bool]]:
    """Every candle of the file in blocks, counted from 1, and whether it has volumes.

    Args:
        path: the file, Parquet or Feather.
        names: field to column name, for those that are not recognised.
        time_format: for times kept as text, as for strptime.
        close_only: take open, high and low from the close.

    Raises:
        FixData: as `open_table`, or a column is missing or holds no numbers.
    """
    with open_table(path) as table:
        columns = find_columns(table.names, names, close_only=close_only)
        blocks = table.rows((columns.time, *columns.numbers), time_format)
        five = (rows._replace(columns=five_columns(rows.columns)) for rows in blocks)
        yield five, columns.volume is not None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == PARQUET_MAGIC


@contextmanager
def _open_parquet(path: Path) -> Iterator[tuple[Any, Any]]:
    """The schema, and what reads the named columns batch by batch."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        yield file.schema_arrow, lambda names: file.iter_batches(batch_size=BATCH_ROWS, columns=names)


@contextmanager
def _open_feather(path: Path) -> Iterator[tuple[Any, Any]]:
    """The same for a Feather file, which is made of batches; the old kind of it is refused."""
    from pyarrow import OSFile
    from pyarrow.ipc import open_file

    with OSFile(str(path)) as stream, open_file(stream) as file:
        yield (
            file.schema,
            lambda names: (_sound(file.get_batch(number)).select(names) for number in range(file.num_record_batches)),
        )


def _sound(batch: Any) -> Any:
    """The batch; what a damaged file claims of its lengths is looked at before it is believed."""
    batch.validate(full=True)
    return batch


def _first_texts(batches: Iterator[Any]) -> list[str]:
    """The first different texts of the only column, three at most."""
    found: dict[str, None] = {}
    for batch in batches:
        found.update(dict.fromkeys(str(text) for text in batch.column(0).unique().to_pylist()))
        if len(found) > 2:
            break
    return list(found)[:3]
