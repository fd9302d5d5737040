"""Limit orders in tables: through the price and not only to it, at the limit or better, and how long they work."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "a limit buys where the price trades through it, at the limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 100  101  94  98    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2 equity 1006
        """,
    ),
    story(
        "reaching the limit is not enough",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 100  101  95  98    |
        --
        end | cash 1000
        """,
    ),
    story(
        "reaching the limit is enough where a touch fills",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 100  101  95  98    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
        touch=True,
    ),
    story(
        "a limit waits for as many bars as it takes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 100  101  96  98    |
        3   | 98   99   95  97    |
        4   | 97   98   94  96    |
        --
        4   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
    ),
    story(
        "a close that is through the limit is enough",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 100  100  94  94    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2 equity 998
        """,
    ),
    story(
        "a new limit that the open is better than takes at the open",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 90   92   89  91    |
        --
        2   | buy 2 @ 90
        end | cash 820 position 2
        """,
    ),
    story(
        "what takes pays slippage",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 90   92   89  91    |
        --
        2   | buy 2 @ 90.9
        end | cash 818.2 position 2
        """,
        slippage_rate=0.01,
    ),
    story(
        "but never fills beyond its limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 90   92   89  91    |
        --
        2   | buy 2 @ 95
        end | cash 810 position 2
        """,
        slippage_rate=0.1,
    ),
    story(
        "a limit that rested and that the open jumps over fills at the open, without slippage",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 100  101  96  98    |
        3   | 90   92   89  91    |
        --
        3   | buy 2 @ 90 maker
        end | cash 820 position 2
        """,
        slippage_rate=0.1,
    ),
    story(
        "an open at the limit does not fill it; the way down does",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95
        2   | 95   96   94  95    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
    ),
    story(
        "a limit sells where the price trades through it from below",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 2 limit 110
        3   | 100  110  99  105   |
        4   | 105  111  104 108   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 110 maker
        end | cash 1020
        """,
    ),
    story(
        "a new limit to sell that the open is better than takes, slipped down to no less than its limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2 limit 110
        2   | 120  121  119 120   | sell 2 limit 119
        3   | 120  121  119 120   |
        --
        2   | sell 2 @ 114
        3   | sell 2 @ 119
        end | cash 1466 position -4
        """,
        slippage_rate=0.05,
        allow_short=True,
    ),
    story(
        "a limit order for an amount of money buys by its limit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy for 190 limit 95
        2   | 100  101  94  98    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
    ),
    story(
        "a ladder fills from the top, however it was sent",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 1 limit 85 as third; buy 3 limit 90 as second; buy 2 limit 95 as first
        2   | 100  101  86  98    |
        --
        2   | buy 2 @ 95 maker
        2   | buy 3 @ 90 maker
        end | cash 540 position 5
        """,
    ),
    story(
        "at one price the order that came first fills first",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 1 limit 95; buy 2 limit 95
        2   | 100  101  94  98    |
        --
        2   | buy 1 @ 95 maker
        2   | buy 2 @ 95 maker
        end | cash 715 position 3
        """,
    ),
    story(
        "a post-only order rests and fills",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 post_only
        2   | 100  101  94  98    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
    ),
    story(
        "a post-only order that would take is refused",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 post_only
        2   | 94   96   90  91    |
        3   | 94   96   90  91    |
        --
        2   | refused would_take
        end | cash 1000
        """,
    ),
    story(
        "a post-only order that has rested may be jumped over",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 post_only
        2   | 96   97   96  96    |
        3   | 90   92   89  91    |
        --
        3   | buy 2 @ 90 maker
        end | cash 820 position 2
        """,
    ),
    story(
        "immediate or cancel: an order that the open does not fill is gone, whatever the low",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 ioc as now
        2   | 100  101  90  98    |
        --
        2   | cancelled now not_filled_at_once
        end | cash 1000
        """,
    ),
    story(
        "immediate or cancel: an order that no price of the bar reaches is gone too",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 ioc as now
        2   | 100  101  99  100   |
        3   | 90   90   90  90    |
        --
        2   | cancelled now not_filled_at_once
        end | cash 1000
        """,
    ),
    story(
        "immediate or cancel: an open that is better fills it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 ioc
        2   | 94   96   90  95    |
        --
        2   | buy 2 @ 94
        end | cash 812 position 2
        """,
    ),
    story(
        "an order for the day, asked for at its last close, works on the next day until that ends",
        """
        day     | open high low close | asks
        1 18:00 | 100  100  100 100   | buy 2 limit 95 day as today
        2 00:00 | 100  100  96  100   |
        2 18:00 | 100  100  95  100   |
        3 00:00 | 94   94   94  94    |
        --
        3       | cancelled today expired
        end     | cash 1000
        """,
    ),
    story(
        "an order for the day, asked for in the morning, works until midnight",
        """
        day     | open high low close | asks
        1 06:00 | 100  100  100 100   | buy 2 limit 95 day as today; buy 1 limit 91 day as deep
        1 12:00 | 100  100  96  100   |
        1 18:00 | 100  100  94  100   |
        2 00:00 | 90   90   90  90    |
        --
        1 18:00 | buy 2 @ 95 maker
        2       | cancelled deep expired
        end     | cash 810 position 2
        """,
    ),
    story(
        "an order for two bars works in two bars",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 bars 2 as dip
        2   | 100  101  96  98    |
        3   | 98   99   96  97    |
        4   | 90   91   89  90    |
        --
        4   | cancelled dip expired
        end | cash 1000
        """,
    ),
    story(
        "an order for one bar fills in that bar",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 bars 1 as dip; buy 1 limit 90 bars 1 as deep
        2   | 100  101  94  98    |
        3   | 98   99   80  97    |
        --
        2   | buy 2 @ 95 maker
        3   | cancelled deep expired
        end | cash 810 position 2
        """,
    ),
    story(
        "bars that are missing are no bars: an order for one bar waits over the gap",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 bars 1
        9   | 100  101  94  98    |
        --
        9   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
    ),
    story(
        "a cancelled limit does not fill",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 as dip
        2   | 100  101  96  98    | cancel dip
        3   | 98   99   90  97    |
        --
        2   | cancelled dip
        end | cash 1000
        """,
    ),
    story(
        "a limit to sell what is not held is refused when its price comes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 1; sell 2 limit 110
        2   | 100  111  99  105   |
        --
        2   | buy 1 @ 100
        2   | refused nothing_to_sell
        end | cash 900 position 1
        """,
    ),
    story(
        "a limit that the money does not pay is refused when its price comes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 11 limit 95
        2   | 100  101  94  98    |
        --
        2   | refused insufficient_funds
        end | cash 1000
        """,
    ),
    story(
        "limits are on ticks, on the side that fills later",
        """
        day | open high low close   | asks
        1   | 100  100  100  100    | buy 2 limit 95.4; sell 2 limit 110.1
        2   | 100  101  94.9 98     |
        3   | 98   110.4 97  100    |
        4   | 98   110.6 97  100    |
        --
        2   | buy 2 @ 95 maker
        4   | sell 2 @ 110.5 maker
        end | cash 1031
        """,
        price_tick=0.5,
    ),
    story(
        "a price that is a tick stays where it is, in spite of binary fractions",
        """
        day | open high low close | asks
        1   | 1    1    1   1     | buy 2 limit 0.7
        2   | 1    1    0.6 1     | sell 2 limit 1.1
        3   | 1    1.2  1   1     |
        --
        2   | buy 2 @ 0.7 maker
        3   | sell 2 @ 1.1 maker
        end | cash 1000.8
        """,
        price_tick=0.1,
    ),
    story(
        "the maker's fee for what rested, the taker's for what took",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95; buy 2 limit 101
        2   | 100  101  94  98    |
        --
        2   | buy 2 @ 100 fee 4
        2   | buy 2 @ 95 fee 1.9 maker
        end | cash 604.1 position 4
        """,
        fee_rate=0.02,
        maker_fee_rate=0.01,
    ),
    story(
        "buying low and selling high in one bar may have been possible, or not",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95; sell 2 limit 105
        2   | 100  106  94  100   |
        -- worst
        2   | refused nothing_to_sell
        2   | buy 2 @ 95 maker
        2   | ambiguous 1010 1020 diverges
        end | cash 810 position 2
        -- best
        2   | buy 2 @ 95 maker
        2   | sell 2 @ 105 maker
        2   | ambiguous 1010 1020 diverges
        end | cash 1020
        """,
    ),
    story(
        "reduce-only sells no more than is held",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 5 limit 110 reduce_only
        3   | 100  111  99  105   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 110 maker
        end | cash 1020
        """,
    ),
    story(
        "reduce-only never opens a short",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 5 limit 110 reduce_only as out
        2   | 100  111  99  105   |
        --
        2   | cancelled out position_closed
        end | cash 1000
        """,
        allow_short=True,
    ),
]


@every_way(STORIES)
def test_limit_orders(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
