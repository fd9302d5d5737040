"""A result's tables as CSV files, for spreadsheets and other programs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from algotrade.errors import FixConfiguration
from algotrade.evaluate.portfolio import Outcome


def write_tables(result: Outcome, folder: Path) -> list[Path]:
    """Write fills.csv, round_trips.csv and equity.csv; times as ISO 8601 in UTC, floats so that they survive exactly.

    Of a portfolio, fills and round trips have columns symbol and strategy, and the equity is of all accounts together.

    Args:
        result: what to write.
        folder: made where it does not exist; files of those names are replaced.

    Returns:
        The files.

    Raises:
        FixConfiguration: the folder cannot be written.
    """
    tables = {"fills": result.fills, "round_trips": result.round_trips, "equity": result.equity.reset_index()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(table, folder / f"{name}.csv") for name, table in tables.items()]
    except OSError as error:
        raise FixConfiguration(f"cannot write {folder}: {error.strerror}") from None


def _write(table: pd.DataFrame, path: Path) -> Path:
    table.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    return path
