"""The result of a kept run again, from its document and the candles that it ran over."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, overload

import numpy as np
import pandas as pd

from algotrade.errors import FixData
from algotrade.evaluate.executions import OWN, PathBounds, RanOn, equity_of_fills
from algotrade.evaluate.portfolio import Outcome, PortfolioResult, Traded, assemble
from algotrade.evaluate.provenance import Execution
from algotrade.evaluate.result import Result
from algotrade.evaluate.rows import (
    ambiguous_of_rows,
    charges_of_rows,
    costs_of,
    fills_of_rows,
    rejections_of_rows,
    targets_of_rows,
)
from algotrade.market.candles import content_hash, times_ms


def series_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The `data` of every series of candles that a run read."""
    return [market["data"] for market in document["markets"]] or [document["data"]]


LEAST_COLUMNS: Final = 5  # of a fill, in the earliest versions
LATER: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "strategies": [],
        "execution": Execution()._asdict(),
        "ran_on": RanOn()._asdict(),
        "bounds": None,
        "ruined_at": None,
        "charges": [],
        "ambiguous_bars": [],
        "markets": [],
        "parts": [],
    }
)


def up_to_date(document: Mapping[str, Any]) -> dict[str, Any]:
    """A kept document with the keys that came later: early versions had one symbol, and orders at the open alone."""
    costs = {**costs_of(document["costs"])._asdict(), **document["costs"]}
    later = {"borrow_paid": 0.0, "funding_paid": 0.0, "maker_share": None, "ambiguous_bars": 0}
    figures = {name: {**later, **document[name]} for name in ("summary", "buy_and_hold")}
    trips = [{"charges": 0.0, "path_dependent": False, **trip} for trip in document["round_trips"]]
    fills = [row if len(row) > LEAST_COLUMNS else [*row, row[0], OWN, False, 0.0, 0] for row in document["fills"]]
    return {**LATER, **document, **figures, "costs": costs, "round_trips": trips, "fills": fills}


@overload
def result_of_document(document: Mapping[str, Any], candles: pd.DataFrame) -> Result: ...
@overload
def result_of_document(document: Mapping[str, Any], candles: Mapping[str, pd.DataFrame]) -> Outcome: ...
def result_of_document(document: Mapping[str, Any], candles: pd.DataFrame | Mapping[str, pd.DataFrame]) -> Outcome:
    """The result of a kept run, from its fills and the candles it ran over.

    Args:
        document: as `run_document` made it, or `up_to_date` an early one.
        candles: the same candles, read again; of a portfolio by symbol.

    Raises:
        FixData: the candles are not those of the run.
    """
    tables = {document["data"]["symbol"]: candles} if isinstance(candles, pd.DataFrame) else candles
    for data in series_of(document):
        _refuse_other_candles(data, tables[data["symbol"]])
    bounds, ran_on = document["bounds"], document["ran_on"]
    shared = {
        "costs": costs_of(document["costs"]),
        "timeframe": document["data"]["timeframe"],
        "calendar": document["calendar"],
        "simulated": document["data"]["simulated"],
        "bounds": None if bounds is None else PathBounds(**bounds),
        "ran_on": RanOn(**ran_on),
    }
    if document["parts"]:
        return _portfolio_again(document, tables, shared)
    (table,) = tables.values()
    times, cash = times_ms(table), document["costs"]["cash"]
    filled = fills_of_rows(document["fills"], times)
    charges = charges_of_rows(document["charges"], times)
    return Result(
        candles=table,
        signals=None,
        equity_values=equity_of_fills(filled, cash, table["close"].to_numpy(np.float64), charges),
        filled=filled,
        rejections=rejections_of_rows(document["rejections"]),
        cash=cash,
        charges=charges,
        ambiguous=ambiguous_of_rows(document["ambiguous_bars"], times),
        **shared,
    )


def _portfolio_again(
    document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], shared: Mapping[str, Any]
) -> PortfolioResult:
    traded = [
        Traded(
            part["symbol"],
            part["strategy"],
            tables[part["symbol"]],
            part["cash"],
            _signals(part["targets"], tables[part["symbol"]]),
            ambiguous_of_rows(part["ambiguous_bars"], times_ms(tables[part["symbol"]])),
            rejections_of_rows(part["rejections"]),
        )
        for part in document["parts"]
    ]
    times = np.unique(np.concatenate([times_ms(table) for table in tables.values()]))
    filled, charges = fills_of_rows(document["fills"], times), charges_of_rows(document["charges"], times)
    return assemble(traded, filled, charges, shared)


def _signals(targets: list[list[Any]] | None, candles: pd.DataFrame) -> pd.DataFrame | None:
    """The targets that were recorded, as signals; None where the strategy sent orders itself."""
    if targets is None:
        return None
    return candles[["close"]].assign(signal=targets_of_rows(targets, times_ms(candles)))


def _refuse_other_candles(data: Mapping[str, Any], candles: pd.DataFrame) -> None:
    if content_hash(candles) != data["hash"]:
        raise FixData(
            f"the stored candles of {data['exchange']} {data['symbol']} {data['timeframe']} are no longer those of the"
            f" run ({len(candles)} bars now, {data['bars']} then, other values)",
            hint=f"algotrade backtest --symbol {data['symbol']} --timeframe {data['timeframe']}",
        )
