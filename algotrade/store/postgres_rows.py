"""Rows of numbers in and out of PostgreSQL in its binary forms.

In that of COPY every field is its length and its bytes, most significant first; without NULLs all rows are of one
length, so that numpy writes them as an array of records (https://www.postgresql.org/docs/current/sql-copy.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import psycopg
from sqlalchemy import BigInteger, Column, Connection, Integer, Select, Table, column, select
from sqlalchemy import table as named_table

from algotrade.store.tables import upsert

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_END: Final = b"\xff\xff"


@contextmanager
def rows_of(connection: Connection, statement: Select[Any], at_once: int) -> Iterator[Iterator[tuple[float, ...]]]:
    """The rows of a statement with numbers for parameters; the server hands over so many at once.

    Numbers come as bytes: half the time of their digits, and a fifth of that of COPY, which sends each row by itself.
    """
    sql = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    with _driver(connection).cursor("candle_rows", binary=True) as cursor:
        cursor.itersize = at_once
        cursor.execute(str(sql).encode())
        yield iter(cursor)


def copied_in(connection: Connection, table: Table, columns: Sequence[int | npt.NDArray[Any]], rows: int) -> None:
    """Insert so many rows, given in the table's columns, over those that have the same key."""
    fields = list(table.columns)
    record = _record(fields)
    records = np.zeros(rows, record)
    records["fields"] = len(fields)
    for number, (name, values) in enumerate(zip(_values(record), columns, strict=True)):
        records[f"length{number}"] = record[name].itemsize
        records[name] = values
    names = [field.name for field in fields]
    order = ", ".join(f'"{name}"' for name in names)  # which a table that was altered once need not have
    arriving = f"arriving_{table.name}"
    with _driver(connection).cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {arriving} (LIKE {table.name}) ON COMMIT DELETE ROWS")
        cursor.execute(f"TRUNCATE {arriving}")
        with cursor.copy(f"COPY {arriving} ({order}) FROM STDIN (FORMAT binary)") as copy:
            copy.write(_HEADER + records.tobytes() + _END)
    given = cast(Any, select(*(column(name) for name in names)).select_from(named_table(arriving)))
    connection.execute(upsert(table).from_select(names, given))


def _record(fields: Sequence[Column[Any] | Any]) -> np.dtype[Any]:
    """How a row looks: the number of its fields, then the length and the value of each."""
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for number, field in enumerate(fields):
        parts += [(f"length{number}", ">i4"), (f"value{number}", _form(field.type))]
    return np.dtype(parts)


def _form(kind: object) -> str:
    if isinstance(kind, BigInteger):
        return ">i8"
    return ">i4" if isinstance(kind, Integer) else ">f8"


def _values(record: np.dtype[Any]) -> list[str]:
    return [name for name in record.names or () if name.startswith("value")]


def _driver(connection: Connection) -> psycopg.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
