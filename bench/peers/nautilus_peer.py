"""nautilus_trader. A market order fills at the close of the bar that it answers: it has no next open for bars."""

from __future__ import annotations

import decimal
import time
from typing import Any

import pandas as pd
from contract import answer
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
BARS = BarType.from_str("BTC/USD.SIM-1-MINUTE-LAST-EXTERNAL")
ENOUGH = 1e9  # volume of every bar, so that nothing is bounded by it
MARGIN = 0.9999  # of the cash, so that rounding never asks for more than there is


class Follow(Strategy):
    """One callback a bar: hold while it is wanted."""

    def __init__(self, instrument: CurrencyPair, want: Any, fee_rate: float) -> None:
        super().__init__(StrategyConfig())
        self.instrument, self.want, self.fee_rate = instrument, want, fee_rate
        self.bar, self.held = 0, 0.0
        self.fills: list[list[float]] = []

    def on_start(self) -> None:
        self.subscribe_bars(BARS)
        self.account = self.portfolio.account(VENUE)

    def on_bar(self, bar: Any) -> None:
        want = self.want[self.bar]
        self.bar += 1
        if want and not self.held:
            cash = self.account.balance_total(USD).as_double()
            self._send(OrderSide.BUY, cash * MARGIN / (bar.close.as_double() * (1 + self.fee_rate)))
        elif self.held and not want:
            self._send(OrderSide.SELL, self.held)

    def on_order_filled(self, fill: Any) -> None:
        side = 1 if fill.order_side == OrderSide.BUY else -1
        quantity = fill.last_qty.as_double()
        self.held = round(self.held + side * quantity, 8)
        self.fills.append([self.bar, side, quantity, fill.last_px.as_double()])

    def _send(self, side: OrderSide, quantity: float) -> None:
        self.submit_order(self.order_factory.market(self.instrument.id, side, self.instrument.make_qty(quantity)))


def instrument_of(fee_rate: float) -> CurrencyPair:
    fee = decimal.Decimal(str(fee_rate))
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol("BTC/USD"), VENUE),
        raw_symbol=Symbol("BTC/USD"),
        base_currency=BTC,
        quote_currency=USD,
        price_precision=2,
        size_precision=8,
        price_increment=Price.from_str("0.01"),
        size_increment=Quantity.from_str("0.00000001"),
        margin_init=decimal.Decimal(0),
        margin_maint=decimal.Decimal(0),
        maker_fee=fee,
        taker_fee=fee,
        ts_event=0,
        ts_init=0,
    )


def run(candles: pd.DataFrame, want: Any, cash: float, fee_rate: float) -> tuple[float, float, list[list[float]]]:
    instrument = instrument_of(fee_rate)
    table = candles[["open", "high", "low", "close"]].assign(volume=ENOUGH)
    table.index = table.index.tz_localize("UTC")
    bars = BarDataWrangler(BARS, instrument).process(table)
    config = BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    engine = BacktestEngine(config)
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [Money(cash, USD)], base_currency=None)
    engine.add_instrument(instrument)
    engine.add_data(bars, sort=False)
    strategy = Follow(instrument, want.tolist(), fee_rate)
    engine.add_strategy(strategy)
    began = time.process_time()
    engine.run()
    seconds = time.process_time() - began
    close = float(candles["close"].iloc[-1])
    final = engine.portfolio.account(VENUE).balance_total(USD).as_double() + strategy.held * close
    engine.dispose()
    return seconds, final, strategy.fills


answer(run)
