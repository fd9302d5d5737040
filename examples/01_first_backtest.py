"""1. A first backtest: candles, a strategy, a result.

    python examples/01_first_backtest.py

It runs on the built-in demo market, so it needs no network and prints the same for everyone. The prices are SIMULATED:
what it earns says nothing about money.
"""

import algotrade as at


class SmaCross(at.SignalStrategy):
    """Long while the fast moving average is above the slow one, else out of the market."""

    fast: int = at.param(10, low=2, high=100)
    slow: int = at.param(20, low=5, high=400)

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(
            fast=at.sma(candles.close, self.fast),
            slow=at.sma(candles.close, self.slow),
        )
        # A signal is the share of your money to hold from the next bar on: 1 is all of it, 0 is none.
        signals["signal"] = (signals.fast > signals.slow).astype(float)
        return signals


# Candles are a pandas table: one row a day, open, high, low, close and volume.
candles = at.load("BTC/USD", exchange="demo", start="2020-01-01", end="2024-12-31")
print(f"{len(candles):,} days, the last one closed at {candles.close.iloc[-1]:,.2f}")

# Each fill costs 0.26 % of what is traded, and its price is 0.05 % worse than the bar's open.
result = at.backtest(SmaCross(fast=10, slow=20), candles, cash=10_000, fee_rate=0.0026, slippage_rate=0.0005)

print("\nThe last three round trips")
for trip in result.round_trips.tail(3).itertuples():
    print(f"  {trip.entry_time:%Y-%m-%d} to {trip.exit_time:%Y-%m-%d}  {trip.profit:+10,.2f}  {trip.bars:3d} bars")

# Fractions, never percent: the formatting turns 0.1 into 10 %.
summary = result.summary
print(f"\nFinal equity      {summary['final_equity']:10,.2f}")
print(f"Total return      {summary['total_return']:10.1%}   (buy and hold: {summary['buy_and_hold_return']:.1%})")
print(f"Maximum drawdown  {summary['max_drawdown']:10.1%}")
print(f"Sharpe ratio      {summary['sharpe']:10.2f}")
print(f"Round trips       {summary['round_trips']:10d}   ({summary['win_rate']:.0%} of them won)")
print(f"Fees paid         {summary['fees_paid']:10,.2f}")

# To see it: result.plot("report.html") writes a page with charts (pip install 'algotrade[web]').
