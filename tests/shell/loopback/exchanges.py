"""Every exchange on 127.0.0.1, by the name that ccxt gives it."""

from __future__ import annotations

from tests.shell.loopback.binance import LoopbackBinance
from tests.shell.loopback.bitfinex import LoopbackBitfinex
from tests.shell.loopback.bitstamp import LoopbackBitstamp
from tests.shell.loopback.coinbase import LoopbackCoinbase
from tests.shell.loopback.kraken import LoopbackKraken
from tests.shell.loopback.server import LoopbackExchange

LOOPBACKS: dict[str, type[LoopbackExchange]] = {
    each.name: each for each in (LoopbackKraken, LoopbackBitfinex, LoopbackBitstamp, LoopbackCoinbase, LoopbackBinance)
}
