"""Funding rates of an exchange that ccxt knows, one answer at a time."""

from __future__ import annotations

from typing import Any, Final

from algotrade.errors import FixCommand
from algotrade.exchange.ccxt_answers import funding_rows
from algotrade.exchange.ccxt_trades import AskOfMarket
from algotrade.exchange.facts import FUNDING_NOT_AS_PAID, FUNDING_PAGES
from algotrade.market.funding import FundingRates

ELSEWHERE: Final = "algotrade fetch --funding --exchange binance --symbol BTC/USDT:USDT"


class CcxtFunding:
    """The funding of one exchange's perpetual contracts.

    Args:
        client: of ccxt's async kind.
        where: the exchange and its host, for errors.
        ask: runs a read of a market, with its retries and its deadline.
    """

    def __init__(self, client: Any, where: str, ask: AskOfMarket) -> None:
        self._client = client
        self._where = where
        self._ask = ask

    async def rates(self, symbol: str, *, since: int, until: int) -> FundingRates:
        """Some of the rates; see Exchange.funding."""
        name = self._client.id
        if not self._client.has.get("fetchFundingRateHistory"):
            raise FixCommand(f"{name} gives no funding rates", hint=ELSEWHERE)
        if reason := FUNDING_NOT_AS_PAID.get(name):
            raise FixCommand(
                f"the funding of {name} is not fetched: {reason}; import it from a file",
                hint=f"algotrade fetch --funding --exchange {name} --symbol {symbol} --from funding.csv",
            )

        async def read(market: dict[str, Any]) -> FundingRates:
            if not market.get("swap"):
                raise FixCommand(f"{symbol} is no perpetual contract of {name}", hint=ELSEWHERE)
            limit = FUNDING_PAGES.get(name)
            rows = await self._client.fetch_funding_rate_history(symbol, since, limit, {"until": until})
            return funding_rows(rows, self._client.last_json_response, self._where)

        found: FundingRates = await self._ask(symbol, read)
        return found
