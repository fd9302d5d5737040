"""4. Brackets, and how much to believe of them; then several coins in one account.

    python examples/04_brackets_and_bounds.py

A candle does not tell which came first, its high or its low. Where a stop loss and a profit target both lie in one bar,
nobody knows which of them filled: a backtest that picks one silently flatters or slanders your idea.
"""

import algotrade as at


class Bracketed(at.SignalStrategy):
    """Long above the average of `window` days, out at a profit or a loss of `distance`, or after five days."""

    window: int = at.param(5, low=2, high=400)
    distance: float = at.param(0.05, low=0.001, high=0.5)

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(average=at.sma(candles.close, self.window))
        signals["signal"] = (signals.close > signals.average).astype(float)
        # These columns count on the bar where the signal changes: what protects the position that it opens.
        return signals.assign(stop_loss=self.distance, take_profit=self.distance, max_bars=5)


span = {"exchange": "demo", "start": "2022-01-01", "end": "2022-12-31"}  # SIMULATED prices
days = at.load("BTC/USD", **span)
hours = at.load("BTC/USD", timeframe="1h", **span)

print("Final equity of 10,000, by the way that prices may have gone inside the days")
print(f"{'distance':>8} {'round trips':>12} {'unknown days':>13} {'worst':>10} {'best':>10} {'by hours':>10}")
for distance in (0.01, 0.02, 0.04, 0.08):
    result = at.backtest(Bracketed(distance=distance), days, fee_rate=0.001)
    walked = at.backtest(Bracketed(distance=distance), days, fee_rate=0.001, detail=hours)
    final = result.summary["final_equity"]
    worst, best = result.bounds or (final, final)
    print(
        f"{distance:8.0%} {result.summary['round_trips']:12d} {result.ambiguous_count:13d}"
        f" {worst:10,.0f} {best:10,.0f} {walked.summary['final_equity']:10,.0f}"
    )
print("The plan is the same in every column. The closer its bracket, the less a daily candle can say about it.")


class Rotation(at.PortfolioStrategy):
    """Each month, equal parts of the `most` coins that rose most over `window` days; none that fell."""

    window: int = at.param(90, low=2, high=1000)
    most: int = at.param(2, low=1, high=20)

    def generate_weights(self, candles):
        prices = at.closes(candles)  # a column for each symbol
        rise = prices / prices.shift(self.window) - 1
        monthly = at.rebalance_on(prices.index, "1M")
        return at.hold(at.top(rise.where(rise > 0), self.most), monthly).assign(rebalance=monthly)


coins = {symbol: at.load(symbol, exchange="demo", start="2020-01-01") for symbol in ("BTC/USD", "ETH/USD", "SOL/USD")}
portfolio = at.backtest(Rotation(), coins, cash=10_000, fee_rate=0.001)

print("\nOne account, three coins")
for part in portfolio.parts:
    trips = part.result.round_trips
    print(f"{part.symbol:8} {len(trips):3d} closed round trips {trips.profit.sum():+12,.2f}")
print(f"Together {portfolio.summary['total_return']:+.1%}, maximum drawdown {portfolio.summary['max_drawdown']:.1%}")

# On the command line: algotrade backtest --strategy momentum_rotation --symbol BTC/USD --symbol ETH/USD
