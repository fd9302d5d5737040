"""Stored funding rates: a part of `algotrade list data`, and `algotrade data drop --funding`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algotrade.cli.agreeing import agree
from algotrade.cli.invocation import Invocation
from algotrade.cli.wanted import Wanted
from algotrade.errors import FixCommand, FixData, did_you_mean

if TYPE_CHECKING:
    from algotrade.store.database import Database
    from algotrade.store.funding import FundingSeries


def funding_rows(database: Database, wanted: Wanted) -> list[dict[str, Any]]:
    """A row for each market of which funding rates are stored; none where candles of some kind alone are wanted."""
    from algotrade.market.candles import iso
    from algotrade.store.funding import funding_series

    return [
        {**series._asdict(), "first": iso(series.first), "last": iso(series.last)}
        for series in funding_series(database)
        if _holds(wanted, series)
    ]


def drop_funding_rates(invocation: Invocation, wanted: Wanted, *, yes: bool) -> None:
    """Remove the funding rates of the one market that is meant; shows what goes and asks.

    Raises:
        FixData: none is meant, or several.
        NotAllowed: nobody can be asked, and nobody said yes.
    """
    from algotrade.market.candles import iso
    from algotrade.store.database import open_database
    from algotrade.store.funding import drop_funding

    if wanted.timeframe or wanted.origin:
        raise FixCommand(
            "funding rates have no timeframe and no origin: leave out --timeframe, --origin",
            hint="algotrade data drop -h",
        )
    with open_database(invocation.settings().database) as database:
        series = _the_one(database, wanted)
        market = f"--exchange {series.exchange} --symbol {series.symbol}"
        named = f"the funding of {series.exchange} {series.symbol}: {series.rates:,} rates"
        if not yes:
            agree(invocation, named, f"algotrade data drop --funding {market} --yes")
        removed = drop_funding(database, series.exchange, series.symbol)
    again = f"algotrade fetch --funding {market} --start {iso(series.first)[:10]}"
    row = {"exchange": series.exchange, "symbol": series.symbol, "removed": removed}
    _show(invocation, row)
    invocation.output.note("to have it again", command=again)
    invocation.output.document("algotrade.data_drop_funding/1", {**row, "again": again})


def _show(invocation: Invocation, row: dict[str, Any]) -> None:
    from algotrade.show.tables import listing

    invocation.output.show(listing([row], list(row)))


def _holds(wanted: Wanted, series: FundingSeries) -> bool:
    asked = (wanted.exchange in (None, series.exchange), wanted.symbol in (None, series.symbol))
    return all(asked) and wanted.timeframe is None and wanted.origin is None


def _the_one(database: Database, wanted: Wanted) -> FundingSeries:
    from algotrade.store.funding import funding_series

    stored = funding_series(database)
    found = [series for series in stored if _holds(wanted, series)]
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(f"{series.exchange} {series.symbol}" for series in found[:5])
        again = f"algotrade data drop --funding --exchange {found[0].exchange} --symbol {found[0].symbol}"
        raise FixData(f"the funding of several markets is stored, {some}; say which", hint=again)
    near = did_you_mean(wanted.symbol or "", [series.symbol for series in stored])
    raise FixData(f"no funding rates of {wanted.given or 'any market'} are stored.{near}", hint="algotrade list data")
