"""Leverage in tables: isolated margins, liquidation inside the bar, and accounts that end at exactly nothing."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "twice long: at half the price the margin is gone, and with it the account",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 2
        2   | 100  100  100 100   |
        3   | 100  101  50  60    | target 1
        4   | 60   60   60  60    |
        --
        2   | buy 20 @ 100
        3   | sell 20 @ 50 liquidation
        4   | refused no_equity_left
        end | cash 0 equity 0
        """,
        leverage=2,
    ),
    story(
        "a little above the maintenance level nothing happens",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 2
        2   | 100  100  100  100   |
        3   | 100  101  50.3 60    |
        --
        2   | buy 20 @ 100
        end | cash -1000 position 20 equity 200
        """,
        leverage=2,
    ),
    story(
        "three times long",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 3
        2   | 100  100  67.1 100   |
        3   | 100  101  67   70    |
        --
        2   | buy 30 @ 100
        3   | sell 30 @ 66.66666666666667 liquidation
        end | cash 0
        """,
        leverage=3,
    ),
    story(
        "ten times long: a tenth is enough, less the maintenance margin",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 10
        2   | 100  100  90.5 100   |
        3   | 100  101  90.4 100   |
        --
        2   | buy 100 @ 100
        3   | sell 100 @ 90 liquidation
        end | cash 0
        """,
        leverage=10,
    ),
    story(
        "with no maintenance margin the price has to go all the way",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 2
        2   | 100  100  50.1 100   |
        3   | 100  101  50   60    |
        --
        2   | buy 20 @ 100
        3   | sell 20 @ 50 liquidation
        end | cash 0
        """,
        leverage=2,
        maintenance_rate=0.0,
    ),
    story(
        "margins are isolated: what was not in the position is kept, and may trade again",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1
        2   | 100  100  100 100   |
        3   | 100  101  50  50    | target 0.5
        4   | 50   50   50  50    |
        --
        2   | buy 10 @ 100
        3   | sell 10 @ 50 liquidation
        4   | buy 5 @ 50
        end | cash 250 position 5
        """,
        leverage=2,
    ),
    story(
        "an open beyond the bankruptcy price takes the margin and no more",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 2
        2   | 100  100  100 100   |
        3   | 30   31   29  30    |
        --
        2   | buy 20 @ 100
        3   | sell 20 @ 50 liquidation
        end | cash 0
        """,
        leverage=2,
    ),
    story(
        "a long without leverage owes nothing and is never liquidated",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 1
        2   | 100  100  0.01 0.01  |
        --
        2   | buy 10 @ 100
        end | cash 0 position 10 equity 0.1
        """,
        allow_short=True,
    ),
    story(
        "a short without leverage is gone at twice its price",
        """
        day | open high  low close | asks
        1   | 100  100   100 100   | target -1
        2   | 100  199   100 150   |
        3   | 150  199.1 100 150   |
        --
        2   | sell 10 @ 100
        3   | buy 10 @ 200 liquidation
        end | cash 0
        """,
        allow_short=True,
    ),
    story(
        "twice short",
        """
        day | open high  low close | asks
        1   | 100  100   100 100   | target -2
        2   | 100  149.2 100 100   |
        3   | 100  149.3 100 100   |
        --
        2   | sell 20 @ 100
        3   | buy 20 @ 150 liquidation
        end | cash 0
        """,
        leverage=2,
        allow_short=True,
    ),
    story(
        "a short that lost everything is closed, and nothing is opened again",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target -1
        2   | 100  250  100 250   | target -0.5
        3   | 250  250  250 250   | target 1
        4   | 250  250  250 250   | target 0
        5   | 250  250  250 250   |
        --
        2   | sell 10 @ 100
        2   | buy 10 @ 200 liquidation
        3   | refused no_equity_left
        4   | refused no_equity_left
        5   | refused no_equity_left
        end | cash 0
        """,
        allow_short=True,
    ),
    story(
        "a short that the slipped price ruins is closed and not turned; what it owes is forgiven",
        """
        day | open high low close | asks
        1   | 160  160  160 160   | target -1
        2   | 160  160  160 160   | target 1
        3   | 200  200  200 200   |
        --
        2   | sell 10 @ 120
        3   | buy 10 @ 250
        3   | charged -100 no_equity_left
        end | cash 0
        """,
        cash=1_200,
        slippage_rate=0.25,
        allow_short=True,
    ),
    story(
        "an account that fees have eaten is closed at the close, and worth nothing",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 2
        2   | 100  100  100 100   |
        3   | 100  100  60  60    | target 1
        4   | 60   60   60  60    |
        --
        2   | buy 16 @ 100 fee 400
        3   | sell 16 @ 50 liquidation
        3   | charged -200 no_equity_left
        4   | refused no_equity_left
        end | cash 0
        """,
        leverage=2,
        fee_rate=0.25,
    ),
    story(
        "a stop before the liquidation saves what is left",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 2 stop_loss 0.2
        2   | 100  100  100 100   |
        3   | 100  101  40  60    |
        --
        2   | buy 20 @ 100
        3   | sell 20 @ 80 stop_loss
        end | cash 600
        """,
        leverage=2,
    ),
    story(
        "an open beyond both is a liquidation",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 2 stop_loss 0.2
        2   | 100  100  100 100   |
        3   | 45   101  40  60    |
        --
        2   | buy 20 @ 100
        3   | sell 20 @ 50 liquidation
        3   | cancelled stop_loss position_closed
        end | cash 0
        """,
        leverage=2,
    ),
    story(
        "a stop behind the liquidation never comes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 10 stop_loss 0.2
        2   | 100  100  100 100   |
        3   | 100  101  70  100   |
        --
        2   | buy 100 @ 100
        3   | sell 100 @ 90 liquidation
        3   | cancelled stop_loss position_closed
        end | cash 0
        """,
        leverage=10,
    ),
    story(
        "a target and the liquidation in one bar, both ways",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target -1 take_profit 0.1
        2   | 100  100  100 100   |
        3   | 100  250  85  100   |
        -- worst
        2   | sell 10 @ 100
        3   | buy 10 @ 200 liquidation
        3   | cancelled take_profit position_closed
        3   | ambiguous 0 1100
        end | cash 0
        -- best
        2   | sell 10 @ 100
        3   | buy 10 @ 90 maker take_profit
        3   | ambiguous 0 1100
        end | cash 1100
        """,
        allow_short=True,
    ),
    story(
        "adding moves the average price, and with it the level",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 1
        2   | 100  100  80   80    | target 2
        3   | 80   80   45.3 60    |
        4   | 60   60   45.2 50    |
        --
        2   | buy 10 @ 100
        3   | buy 10 @ 80
        4   | sell 20 @ 45 liquidation
        end | cash 100
        """,
        leverage=2,
    ),
    story(
        "a position that is liquidated in the bar of its entry",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 100 stop 105
        2   | 100  106  90  100   |
        -- worst
        2   | buy 100 @ 105
        2   | sell 100 @ 96.25 liquidation
        2   | ambiguous 125 500 diverges
        end | cash 125
        -- best
        2   | buy 100 @ 105
        2   | ambiguous 125 500 diverges
        end | cash -9500 position 100
        """,
        cash=1_000,
        leverage=12,
    ),
    story(
        "fixed orders are bounded by leverage times equity",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 21
        2   | 100  100  100 100   | buy 20
        3   | 100  100  100 100   | buy 0.1
        4   | 100  100  100 100   |
        --
        2   | refused insufficient_funds
        3   | buy 20 @ 100
        4   | refused insufficient_funds
        end | cash -1000 position 20
        """,
        leverage=2,
    ),
    story(
        "so are shorts",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 10.1
        2   | 100  100  100 100   | sell 10
        3   | 100  100  100 100   |
        --
        2   | refused insufficient_funds
        3   | sell 10 @ 100
        end | cash 2000 position -10
        """,
        allow_short=True,
    ),
    story(
        "reducing leaves the average price, and with it the level",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 2
        2   | 100  100  80  80    | target 1
        3   | 80   80   80  80    |
        4   | 80   80   50  60    |
        --
        2   | buy 20 @ 100
        3   | sell 12.5 @ 80
        4   | sell 7.5 @ 50 liquidation
        end | cash 375
        """,
        leverage=2,
    ),
    story(
        "an account that is worth exactly nothing is closed",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | target 2
        2   | 100  100  100  100   |
        3   | 100  100  62.5 62.5  |
        --
        2   | buy 16 @ 100 fee 400
        3   | sell 16 @ 50 liquidation
        3   | charged -200 no_equity_left
        end | cash 0
        """,
        leverage=2,
        fee_rate=0.25,
    ),
]


@every_way(STORIES)
def test_leverage(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
