"""The same amount every week, whatever the price.

Source: B. Graham, "The Intelligent Investor", 1949; against it: G. Constantinides, "A Note on the Suboptimality of
Dollar-Cost Averaging as an Investment Policy", Journal of Financial and Quantitative Analysis 14(2), 1979.
"""

from algotrade import Strategy, on, param


class DollarCostAveraging(Strategy):
    """Buy for `amount` every Monday until the cash is spent, and never sell."""

    amount: float = param(25.0, low=0.01, high=1e9)  # quote units

    @on("timer:1w")
    def save(self, timer) -> None:
        if self.cash > 1.1 * self.amount:
            self.buy(notional=self.amount)
