"""Tells the other strategies of a session whether the market is good; trades nothing itself.

Source: M. Faber, "A Quantitative Approach to Tactical Asset Allocation", Journal of Wealth Management 9(4), 2007: above
the average of ten months, or not.
"""

from algotrade import Strategy, on, param, sma


class MarketRegime(Strategy):
    """Emit "regime" 1 when the close rises above its average of `window` bars, 0 when it falls below."""

    window: int = param(200, low=2, high=1000)

    _regime = None

    @property
    def warmup(self) -> int:
        return self.window

    @on("candles")
    def judge(self, candle) -> None:
        closes = self.candles().close
        if len(closes) < self.window:
            return
        regime = int(candle.close > sma(closes, self.window).iloc[-1])
        if regime != self._regime:
            self._regime = regime
            self.emit("regime", regime)
