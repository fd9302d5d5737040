"""2. A strategy of your own that answers events: it remembers what it paid and protects it.

    python examples/02_your_own_strategy.py

A signal strategy, as in the first example, looks at a table of candles. This kind is called bar by bar, in a backtest
exactly as in live trading, and may remember things. Its rule: buy when the price breaks out of the last weeks' range,
sell when it falls too far below the highest close since then.
"""

import algotrade as at


class BreakoutWithStop(at.Strategy):
    """Buy a close above the highs of the last `window` bars; sell `give_back` below the best close since."""

    window: int = at.param(30, low=2, high=400)
    give_back: float = at.param(0.10, low=0.001, high=0.9)

    # What it remembers. The underscore tells these from parameters.
    _highs = ()
    _best_close = 0.0

    @at.on("fills")
    def start_the_watch(self, fill):
        """Called when one of our orders was executed."""
        if fill.side > 0:
            self._best_close = fill.price

    @at.on("candles")
    def decide(self, candle):
        """Called when a bar has closed. What it asks for happens at the next bar's open."""
        if self.position > 0:
            self._best_close = max(self._best_close, candle.close)
            if candle.close < self._best_close * (1 - self.give_back):
                self.target(exposure=0.0)  # sell all
        elif len(self._highs) == self.window and candle.close > max(self._highs):
            self.target(exposure=1.0)  # buy with all there is
        self._highs = (*self._highs, candle.high)[-self.window :]


candles = at.load("ETH/USD", exchange="demo", start="2021-01-01", end="2024-12-31")  # SIMULATED prices

# Parameters are part of the class, with their bounds: they can be given here, or on the command line with -p.
for give_back in (0.05, 0.10, 0.20):
    result = at.backtest(BreakoutWithStop(give_back=give_back), candles, fee_rate=0.0026)
    summary = result.summary
    print(
        f"gives back {give_back:4.0%}:  {summary['round_trips']:3d} round trips  won {summary['win_rate']:4.0%}"
        f"  in the market {summary['exposure']:4.0%}  return {summary['total_return']:+7.1%}"
    )

print("\nThe first fills of the last one")
fills = result.fills[["time", "side", "quantity", "price", "fee"]]
print(fills.head(4).round({"quantity": 4, "price": 2, "fee": 2}).to_string(index=False))

# The same class in a file strategies/breakout.py runs with `algotrade backtest --strategy breakout -p window=20`,
# and trades on paper with `algotrade live --strategy breakout`.
