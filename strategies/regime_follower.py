"""Invested while another strategy of the session says that the market is good.

    algotrade backtest --strategy market_regime --strategy regime_follower

Source: M. Faber, "A Quantitative Approach to Tactical Asset Allocation", Journal of Wealth Management 9(4), 2007.
"""

from algotrade import Strategy, on, param


class RegimeFollower(Strategy):
    """Hold `exposure` of its equity while market_regime says 1, nothing while it says 0."""

    exposure: float = param(1.0, low=0.0, high=1.0)

    @on("regime")
    def follow(self, told) -> None:
        self.target(exposure=self.exposure * told.value)
