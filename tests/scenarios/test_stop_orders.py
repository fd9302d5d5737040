"""Stop and stop-limit orders in tables: set off by a touch, slipped, and never outside of what was traded."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "a stop buys where the price touches it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105
        2   | 100  105  99  104   |
        --
        2   | buy 2 @ 105
        end | cash 790 position 2 equity 998
        """,
    ),
    story(
        "a stop that is not reached waits",
        """
        day | open high  low close | asks
        1   | 100  100   100 100   | buy 2 stop 105
        2   | 100  104.9 99  104   |
        3   | 104  106   104 106   |
        --
        3   | buy 2 @ 105
        end | cash 790 position 2
        """,
    ),
    story(
        "a stop that the open jumps over fills at the open",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105
        2   | 107  108  106 107   |
        --
        2   | buy 2 @ 107
        end | cash 786 position 2
        """,
    ),
    story(
        "an open at the stop sets it off",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105
        2   | 105  105  99  100   |
        --
        2   | buy 2 @ 105
        end | cash 790 position 2
        """,
    ),
    story(
        "a stop that is beyond the price already is set off at the next open",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 90
        2   | 100  101  99  100   |
        --
        2   | buy 2 @ 100
        end | cash 800 position 2
        """,
    ),
    story(
        "a stop pays slippage",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105
        2   | 100  107  99  104   |
        --
        2   | buy 2 @ 106.05
        end | cash 787.9 position 2
        """,
        slippage_rate=0.01,
    ),
    story(
        "but no price that was not traded in the bar",
        """
        day | open high  low close | asks
        1   | 100  100   100 100   | buy 2 stop 105
        2   | 100  105.5 99  104   |
        --
        2   | buy 2 @ 105.5
        end | cash 789 position 2
        """,
        slippage_rate=0.01,
    ),
    story(
        "a stop that the open jumps over slips from the open, as far as the bar went",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 1 stop 105; buy 1 stop 106
        2   | 110  112  106 107   |
        --
        2   | buy 1 @ 111.1
        2   | buy 1 @ 111.1
        end | cash 777.8 position 2
        """,
        slippage_rate=0.01,
    ),
    story(
        "a stop sells where the price touches it from above",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 2 stop 95
        3   | 100  101  96  97    |
        4   | 97   98   95  96    |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 95
        end | cash 990
        """,
    ),
    story(
        "a stop to sell slips down, no further than the low",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 1 stop 95; sell 1 stop 91
        2   | 100  101  90  97    |
        --
        2   | sell 1 @ 92.15
        2   | sell 1 @ 90
        end | cash 1182.15 position -2
        """,
        slippage_rate=0.03,
        allow_short=True,
    ),
    story(
        "stops on both sides are both set off in a wide bar, in either order for the same money",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105; sell 2 stop 95
        2   | 100  106  94  100   |
        -- worst
        2   | buy 2 @ 105
        2   | sell 2 @ 95
        end | cash 980
        -- best
        2   | buy 2 @ 105
        2   | sell 2 @ 95
        end | cash 980
        """,
        allow_short=True,
    ),
    story(
        "a stop that the money does not pay is refused when it is set off",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 9.6 stop 105
        2   | 100  106  99  104   |
        --
        2   | refused insufficient_funds
        end | cash 1000
        """,
    ),
    story(
        "a stop for an amount of money buys by the price that it gets",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy for 214 stop 105
        2   | 107  107  106 107   |
        --
        2   | buy 2 @ 107
        end | cash 786 position 2
        """,
    ),
    story(
        "stops are on ticks, on the side that is set off later",
        """
        day | open high  low  close | asks
        1   | 100  100   100  100   | buy 2 stop 105.1; sell 2 stop 94.9
        2   | 100  105.4 94.6 100   |
        3   | 100  105.5 94.6 100   |
        4   | 100  100   94.5 100   |
        --
        3   | buy 2 @ 105.5
        4   | sell 2 @ 94.5
        end | cash 978
        """,
        price_tick=0.5,
        allow_short=True,
    ),
    story(
        "a stop pays the taker's fee",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105
        2   | 100  106  99  104   |
        --
        2   | buy 2 @ 105 fee 4.2
        end | cash 785.8 position 2
        """,
        fee_rate=0.02,
        maker_fee_rate=0.01,
    ),
    story(
        "a stop for one bar goes after it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 bars 1 as up
        2   | 100  104  99  104   |
        3   | 104  106  104 106   |
        --
        3   | cancelled up expired
        end | cash 1000
        """,
    ),
    story(
        "a stop-limit becomes a limit order; where the market is there already, it takes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 limit 106
        2   | 100  110  99  108   |
        --
        2   | buy 2 @ 105 fee 4.2
        end | cash 785.8 position 2
        """,
        fee_rate=0.02,
        maker_fee_rate=0.01,
    ),
    story(
        "a stop-limit that takes slips no further than its limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 limit 106
        2   | 100  110  99  108   |
        --
        2   | buy 2 @ 106
        end | cash 788 position 2
        """,
        slippage_rate=0.03,
    ),
    story(
        "a stop-limit that the open jumps over waits for the price to come back through its limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 limit 106
        2   | 108  110  105 107   |
        --
        2   | buy 2 @ 106 fee 2.12 maker
        end | cash 785.88 position 2
        """,
        fee_rate=0.02,
        maker_fee_rate=0.01,
    ),
    story(
        "a stop-limit that was set off stays a limit order in the bars that follow",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 limit 106
        2   | 108  110  107 108   |
        3   | 107  107  106 107   |
        4   | 104  104  103 104   |
        --
        4   | buy 2 @ 104 maker
        end | cash 792 position 2
        """,
    ),
    story(
        "a stop-limit to sell, with its limit below the stop",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 2 stop 95 limit 94
        3   | 100  101  93  96    |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 95
        end | cash 990
        """,
    ),
    story(
        "a stop-limit to sell, with its limit above the stop, rests first",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 2 stop 95 limit 96
        3   | 100  101  93  97    |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 96 maker
        end | cash 992
        """,
    ),
    story(
        "a post-only stop-limit that would take when it is set off is refused",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 limit 106 post_only
        2   | 100  110  99  108   |
        --
        2   | refused would_take
        end | cash 1000
        """,
    ),
    story(
        "a stop-limit is never set off before its stop is touched, however good the limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 limit 106
        2   | 100  104  90  95    |
        --
        end | cash 1000
        """,
    ),
]


@every_way(STORIES)
def test_stop_orders(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
