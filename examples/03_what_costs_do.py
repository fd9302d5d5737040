"""3. What costs do: the same idea at three speeds, with and without paying for it.

    python examples/03_what_costs_do.py

Most ideas that look good without costs die of them, and the faster they trade the sooner. Try this with your own
strategy before you believe in it.
"""

import algotrade as at


class Momentum(at.SignalStrategy):
    """Long after `window` bars that rose in sum."""

    window: int = at.param(24, low=1, high=2000)

    def generate_signals(self, candles):
        signals = candles[["close"]].copy()
        signals["signal"] = (candles.close > candles.close.shift(self.window)).astype(float)
        return signals


FEES = {"no costs": 0.0, "0.1 % a side": 0.001, "0.26 % a side": 0.0026}

candles = at.load("BTC/USD", timeframe="1h", exchange="demo", start="2023-01-01", end="2024-12-31")  # SIMULATED
print(f"Return of {len(candles):,} hours\n")
print(f"{'window':>8} {'round trips':>12}" + "".join(f"{name:>16}" for name in FEES))

for window in (12, 48, 240, 960):
    results = [at.backtest(Momentum(window=window), candles, fee_rate=fee, slippage_rate=0.0) for fee in FEES.values()]
    returns = "".join(f"{result.summary['total_return']:16.1%}" for result in results)
    print(f"{window:7d}h {results[0].summary['round_trips']:12d}{returns}")

held = results[0].summary["buy_and_hold_return"]
print(f"\nBuying and holding would have made {held:.1%}.")

# `algotrade evaluate` prints the fee at which the profit of a kept run is gone.
