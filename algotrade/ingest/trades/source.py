"""Ask an exchange for its trades page by page, and believe an answer only when it leads on."""

from __future__ import annotations

from algotrade.errors import CheckConnection
from algotrade.exchange.base import Exchange, TradePage
from algotrade.ingest.trades.chain import Chain, skips
from algotrade.ingest.trades.pages import Asked, new_trades
from algotrade.market.candles import iso
from algotrade.market.trades import NS_PER_MS
from algotrade.store.trades import TradeBlock


class TradeSource:
    """The trades of one market of an exchange.

    Attributes:
        now_ms: the exchange's time when it was last asked for.
    """

    def __init__(self, exchange: Exchange, symbol: str) -> None:
        self.now_ms = 0
        self._exchange = exchange
        self._symbol = symbol

    async def ask_time(self) -> None:
        """Ask for the exchange's time."""
        self.now_ms = await self._exchange.now_ms()

    async def after(self, chain: Chain) -> tuple[TradePage, TradeBlock]:
        """The answer that continues a chain, and what is new in it; nothing, where nothing came or the market slept.

        Where it seems to leave trades out, they are asked for in another way, by the time of the newest known one.

        Raises:
            CheckConnection: the answer cannot be, does not lead on, or leaves out trades either way.
        """
        since = _since(chain)
        page = await self._page(chain.cursor, since if chain.cursor is None else None)
        if len(page.times_ns) and page.times_ns[-1] > self.now_ms * NS_PER_MS:
            await self.ask_time()  # trades were made since we asked for it
        block = self._judged(page, chain, chain.cursor)
        gap = skips(chain, block)
        if not gap and (len(block.times_ns) or chain.cursor in (None, page.next_cursor)):
            return page, block
        other = await self._page(None, since)
        found = self._judged(other, chain, None)
        if found.ids[:1] == block.ids[:1]:  # both ways there is nothing in between
            return page, block
        if not len(found.times_ns) or skips(chain, found):
            raise self.nonsense(f"leaves out trades after that of {iso(chain.reached_ms)}")
        return other, found

    async def newest(self) -> TradePage:
        """The newest trades."""
        return await self._page(None, None)

    async def has_ended(self, chain: Chain) -> bool:
        """Whether the exchange's newest trade is the newest of the chain; `now_ms` is from before it was asked for."""
        await self.ask_time()
        times = (await self.newest()).times_ns
        return not len(times) or bool(times[-1] <= (_since(chain) - 1 if chain.edge is None else chain.edge.time_ns))

    def nonsense(self, what: str) -> CheckConnection:
        """The error that an answer makes no sense."""
        return CheckConnection(f"{self._exchange.name}, trades of {self._symbol}: {what}")

    async def _page(self, cursor: str | None, since_ns: int | None) -> TradePage:
        return await self._exchange.trades(self._symbol, cursor=cursor, since_ns=since_ns, limit=None)

    def _judged(self, page: TradePage, chain: Chain, cursor: str | None) -> TradeBlock:
        try:
            return new_trades(page, Asked(cursor, _since(chain), chain.edge, self.now_ms))
        except CheckConnection as error:
            raise self.nonsense(error.message) from None


def _since(chain: Chain) -> int:
    """The time from which the trades after a chain can be asked for, nanoseconds: that of its newest one."""
    return chain.start_ms * NS_PER_MS if chain.edge is None else chain.edge.time_ns
