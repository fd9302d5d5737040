"""Read a file of candles into the store for `algotrade fetch --from`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from algotrade.cli.fetched import print_reports
from algotrade.cli.invocation import Invocation
from algotrade.errors import AlgotradeError, FixCommand

if TYPE_CHECKING:
    from algotrade.cli.fetch_asked import Asked
    from algotrade.config import Settings
    from algotrade.market.candles import SeriesKey

log = logging.getLogger("algotrade.fetch")


class Reading(NamedTuple):
    """The file and the flags that say how to read it."""

    file: Path
    columns: str | None
    time_format: str | None
    close_only: bool
    skip_bad: bool
    replace: bool


def fetch_file(invocation: Invocation, settings: Settings, asked: Asked, reading: Reading) -> None:
    """Import the file and print what became of it, bad rows included."""
    from algotrade.exchange.base import system_ms
    from algotrade.ingest.files.importing import import_file
    from algotrade.ingest.files.open_rows import ImportOptions
    from algotrade.store.database import open_database

    parsed = ImportOptions(
        parse_columns(reading.columns),
        reading.time_format,
        reading.close_only,
        reading.skip_bad,
        reading.replace,
        assumed_symbol=settings.defaults.symbol,
    )
    key = _key(settings, asked)
    output = invocation.output  # which starts the log
    with open_database(settings.database) as database:
        try:
            report = import_file(database, reading.file, key, parsed, now_ms=system_ms())
        except AlgotradeError as error:
            error.hint = error.hint or "algotrade fetch -h"  # how else a file can be read
            raise
    log.info("%s +%d candles from %s", " ".join(report.key[:3]), report.added, reading.file)
    print_reports(output, [report], [row._asdict() for row in report.skipped])


def _key(settings: Settings, asked: Asked) -> SeriesKey:
    """The series that the file is taken for; what is not given its name or its rows tell."""
    from algotrade.exchange.base import DEFAULT_EXCHANGE
    from algotrade.market.candles import SeriesKey

    exchange = next(iter(asked.exchanges), settings.defaults.exchange or DEFAULT_EXCHANGE)
    return SeriesKey(exchange, next(iter(asked.symbols), ""), next(iter(asked.timeframes), ""), "import")


def parse_columns(text: str | None) -> dict[str, str]:
    """ "time=Trade Day,close=Last" as field to column name."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part]
    if any(not (field.strip() and name.strip()) for field, _, name in pairs):
        raise FixCommand(
            f"columns are given as FIELD=NAME,..., given '{text}'",
            hint='algotrade fetch --from prices.csv --columns "time=Date,close=Last"',
        )
    return {field.strip(): name.strip() for field, _, name in pairs}
