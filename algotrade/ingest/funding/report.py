"""What became of the funding rates of a market, for whoever watches."""

from __future__ import annotations

from typing import NamedTuple

from algotrade.errors import AlgotradeError
from algotrade.ingest.report import NOTHING, Notes
from algotrade.market.candles import iso
from algotrade.market.funding import find_holes
from algotrade.store.arrivals import WriteReport
from algotrade.store.database import Database
from algotrade.store.funding import read_funding


class FundingReport(NamedTuple):
    """What became of one market.

    Attributes:
        exchange: whose.
        symbol: which perpetual contract.
        added: rates that were not stored before.
        unchanged: rates that came again as they are stored.
        revised: settlements whose rate or exact time differed; what came is stored now.
        first: time of the first stored settlement, milliseconds; None when nothing is stored.
        last: the same of the last.
        gaps: stretches between the two in which settlements are missing.
        complete: whether everything that was asked for and can exist is stored.
        note: what a person should know, in sentences; "" when there is nothing to say.
        error: why it ended before its end; what came until then is stored.
    """

    exchange: str
    symbol: str
    added: int
    unchanged: int
    revised: int
    first: int | None
    last: int | None
    gaps: int
    complete: bool
    note: str
    error: AlgotradeError | None = None


def funding_report(
    database: Database,
    market: tuple[str, str],
    *,
    written: WriteReport = NOTHING,
    notes: Notes | None = None,
    error: AlgotradeError | None = None,
) -> FundingReport:
    """The report of a market (exchange and symbol) as its funding is stored now; without `written`, that nothing came.

    A store that fails is one more thing to report.
    """
    holes: list[int] = []
    first = last = None
    try:
        times = read_funding(database, *market).times
        holes = find_holes(times).tolist()
        first, last = (int(times[0]), int(times[-1])) if len(times) else (None, None)
    except AlgotradeError as failure:
        error = error or failure
    notes = notes or Notes()
    if first is None and error is None:
        notes.complain(f"{market[0]} gave no funding rates of {market[1]}")
    if holes:
        notes.remark(f"settlements are missing inside what is stored, first after {iso(holes[0])}; --start asks again")
    return FundingReport(
        *market,
        *written,
        first=first,
        last=last,
        gaps=len(holes),
        complete=error is None and not notes.complaints,
        note=notes.sentences(),
        error=error,
    )
