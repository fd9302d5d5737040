"""The Turtles' long-term system: add to what wins, and move the stop with it.

Source: C. Faith, "Way of the Turtle", 2007, System 2: the 55-bar entry with the 20-bar exit.
"""

from algotrade import Strategy, atr, on, param


class Turtle(Strategy):
    """Buy a new high and add `units` in all, half a range apart; out two ranges below the last, or at a new low."""

    entry: int = param(55, low=2, high=400)
    exit: int = param(20, low=2, high=400)
    units: int = param(4, low=1, high=20)
    risk: float = param(0.01, low=0.0001, high=0.2)  # fraction of equity that a unit moves in an average range

    warmup = 1000
    _bought, _range, _unit = 0, 0.0, 0.0

    @on("candles")
    def break_out(self, candle) -> None:
        bars = self.candles()
        past = bars.iloc[:-1]
        if self.position > 0 and candle.close < past.low.iloc[-self.exit :].min():
            self.close()
        elif not self.position and len(past) >= self.entry and candle.close > past.high.iloc[-self.entry :].max():
            self._range = atr(bars.high, bars.low, bars.close, 20).iloc[-1]
            self._unit = self.equity * min(self.risk / self._range, 0.9 / self.units / candle.close)
            self._bought = 0
            self.buy(quantity=self._unit)

    @on("fills")
    def pyramid(self, fill) -> None:
        self.cancel_all()
        if fill.side > 0:
            self._bought += 1
            self.protect(stop_loss_price=fill.price - 2 * self._range)
            if self._bought < self.units:
                self.buy(quantity=self._unit, stop=fill.price + self._range / 2)
