"""Trailing stops in tables: they follow the best price, never turn back, and begin where they are told to."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "a trailing stop follows the highest price by its fraction",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1
        2   | 100  100  95  100   |
        3   | 110  120  109 118   |
        4   | 118  119  107 110   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 108 trailing_stop
        end | cash 1016
        """,
    ),
    story(
        "or by an amount",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_amount 5
        2   | 100  100  96  100   |
        3   | 110  120  116 118   |
        4   | 118  119  114 116   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 115 trailing_stop
        end | cash 1030
        """,
    ),
    story(
        "it follows from the entry on, in the bar of the entry",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1
        2   | 100  101  89  95    |
        -- worst
        2   | buy 2 @ 100
        2   | sell 2 @ 90 trailing_stop
        2   | ambiguous 980 981.8
        end | cash 980
        -- best
        2   | buy 2 @ 100
        2   | sell 2 @ 90.9 trailing_stop
        2   | ambiguous 980 981.8
        end | cash 981.8
        """,
    ),
    story(
        "it never turns back",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1
        2   | 120  120  109 110   |
        3   | 110  110  109 110   |
        4   | 109  109  108 109   |
        --
        2   | buy 2 @ 120
        4   | sell 2 @ 108 trailing_stop
        end | cash 976
        """,
    ),
    story(
        "an open below it sells there",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1
        2   | 100  120  109 119   |
        3   | 100  130  99  130   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 100 trailing_stop
        end | cash 1000
        """,
    ),
    story(
        "one bar may raise it and set it off, or not",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1
        2   | 100  100  100 100   |
        3   | 100  120  100 118   |
        -- worst
        2   | buy 2 @ 100
        3   | sell 2 @ 100 trailing_stop
        3   | ambiguous 1000 1036 diverges
        end | cash 1000
        -- best
        2   | buy 2 @ 100
        3   | ambiguous 1000 1036 diverges
        end | cash 800 position 2
        """,
    ),
    story(
        "both extremes end alike, but it may have been led to 100.52 first and caught at the low",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | buy 2 trailing_stop 0.04
        2   | 100  110  96.5 97    |
        -- worst
        2   | buy 2 @ 100
        2   | sell 2 @ 96.5 trailing_stop
        2   | ambiguous 993 1011.2
        end | cash 993
        -- best
        2   | buy 2 @ 100
        2   | sell 2 @ 105.6 trailing_stop
        2   | ambiguous 993 1011.2
        end | cash 1011.2
        """,
    ),
    story(
        "by an amount it is led to the low and the amount",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_amount 5
        2   | 100  104  97  98    |
        -- worst
        2   | buy 2 @ 100
        2   | sell 2 @ 97 trailing_stop
        2   | ambiguous 994 998
        end | cash 994
        -- best
        2   | buy 2 @ 100
        2   | sell 2 @ 99 trailing_stop
        2   | ambiguous 994 998
        end | cash 998
        """,
    ),
    story(
        "a short may be led below and caught at the high",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2 trailing_stop 0.1
        2   | 100  104.5 90 104   |
        -- worst
        2   | sell 2 @ 100
        2   | buy 2 @ 104.5 trailing_stop
        2   | ambiguous 991 1002
        end | cash 991
        -- best
        2   | sell 2 @ 100
        2   | buy 2 @ 99 trailing_stop
        2   | ambiguous 991 1002
        end | cash 1002
        """,
        allow_short=True,
    ),
    story(
        "where it begins to follow at 110 only, it is caught at 104.5 at worst",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.05 trailing_activation 0.1
        2   | 100  120  96  113   |
        -- worst
        2   | buy 2 @ 100
        2   | sell 2 @ 104.5 trailing_stop
        2   | ambiguous 1009 1028
        end | cash 1009
        -- best
        2   | buy 2 @ 100
        2   | sell 2 @ 114 trailing_stop
        2   | ambiguous 1009 1028
        end | cash 1028
        """,
    ),
    story(
        "a low that is no tick catches it at the next tick above",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | buy 2 trailing_stop 0.1
        2   | 100  115  92.3 93    |
        -- worst
        2   | buy 2 @ 100
        2   | sell 2 @ 92.5 trailing_stop
        2   | ambiguous 985 1007
        end | cash 985
        -- best
        2   | buy 2 @ 100
        2   | sell 2 @ 103.5 trailing_stop
        2   | ambiguous 985 1007
        end | cash 1007
        """,
        price_tick=0.5,
    ),
    story(
        "a target that is nearer than the turn comes first",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1 take_profit 0.05
        2   | 100  120  96  100   |
        --
        2   | buy 2 @ 100
        2   | sell 2 @ 105 maker take_profit
        2   | cancelled trailing_stop other_filled
        end | cash 1010
        """,
    ),
    story(
        "bought by a limit inside the bar, led up and caught at the low",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 trailing_stop 0.05
        2   | 100  106  94  95    |
        -- worst
        2   | buy 2 @ 95 maker
        2   | sell 2 @ 94 trailing_stop
        2   | ambiguous 998 1011.4 diverges
        end | cash 998
        -- best
        2   | buy 2 @ 95 maker
        2   | sell 2 @ 100.7 trailing_stop
        2   | ambiguous 998 1011.4 diverges
        end | cash 1011.4
        """,
    ),
    story(
        "the last bits of binary fractions do not keep it from being caught",
        """
        day | open high  low close | asks
        1   | 88   88    88  88    | sell 2 trailing_stop 0.1
        2   | 88   89.72 80  89    |
        -- worst
        2   | sell 2 @ 88
        2   | buy 2 @ 89.72 trailing_stop
        2   | ambiguous 996.56 1000
        end | cash 996.56
        -- best
        2   | sell 2 @ 88
        2   | buy 2 @ 88 trailing_stop
        2   | ambiguous 996.56 1000
        end | cash 1000
        """,
        allow_short=True,
    ),
    story(
        "a breakout that falls back to the low, is led up and caught when it comes there again",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 trailing_stop 0.06
        2   | 100  112  99  104   |
        -- worst
        2   | buy 2 @ 105
        2   | sell 2 @ 99 trailing_stop
        2   | ambiguous 988 1000.56
        end | cash 988
        -- best
        2   | buy 2 @ 105
        2   | sell 2 @ 105.28 trailing_stop
        2   | ambiguous 988 1000.56
        end | cash 1000.56
        """,
    ),
    story(
        "two trailing stops are both caught at the low, one turn after the other",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.04; buy 2 trailing_stop 0.08
        2   | 100  110  97  98    |
        -- worst
        2   | buy 2 @ 100
        2   | buy 2 @ 100
        2   | sell 2 @ 97 trailing_stop
        2   | sell 2 @ 97 trailing_stop
        2   | ambiguous 988 1013.6
        end | cash 988
        -- best
        2   | buy 2 @ 100
        2   | buy 2 @ 100
        2   | sell 2 @ 105.6 trailing_stop
        2   | sell 2 @ 101.2 trailing_stop
        2   | ambiguous 988 1013.6
        end | cash 1013.6
        """,
    ),
    story(
        "with an activation it does nothing before",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.05 trailing_activation 0.1
        2   | 100  108  80  100   |
        3   | 108  112  107 111   |
        4   | 111  111  105 106   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 106.4 trailing_stop
        end | cash 1012.8
        """,
    ),
    story(
        "an activation by a gap begins at the open",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 trailing_stop 0.1 trailing_activation 0.2
        2   | 100  101  80  100   |
        3   | 130  130  118 120   |
        4   | 120  120  116 118   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 117 trailing_stop
        end | cash 1034
        """,
    ),
    story(
        "a short's trails above",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2 trailing_stop 0.1
        2   | 100  100  100 100   |
        3   | 85   87   80  82    |
        4   | 82   89   81  85    |
        --
        2   | sell 2 @ 100
        4   | buy 2 @ 88 trailing_stop
        end | cash 1024
        """,
        allow_short=True,
    ),
    story(
        "a short's activation is below",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2 trailing_amount 5 trailing_activation 0.1
        2   | 100  120  91  100   |
        3   | 88   89   85  86    |
        4   | 86   91   86  90    |
        --
        2   | sell 2 @ 100
        4   | buy 2 @ 90 trailing_stop
        end | cash 1020
        """,
        allow_short=True,
    ),
    story(
        "it is on ticks, on the side that is set off later",
        """
        day | open high low   close | asks
        1   | 100  100  100   100   | buy 2 trailing_stop 0.1
        2   | 100  100  100   100   |
        3   | 119  119  107.1 119   |
        4   | 119  119  107   110   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 107 trailing_stop
        end | cash 1014
        """,
        price_tick=0.5,
    ),
    story(
        "it slips, no further than the low",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2 trailing_stop 0.1; sell 2 trailing_stop 0.1
        2   | 100  100  100 100   |
        3   | 85   85   80  80    |
        4   | 80   89   80  85    |
        --
        2   | sell 2 @ 98
        2   | sell 2 @ 98
        4   | buy 2 @ 89 trailing_stop
        4   | buy 2 @ 89 trailing_stop
        end | cash 1036
        """,
        slippage_rate=0.02,
        allow_short=True,
    ),
    story(
        "stop, trailing stop and target: the first that fills takes the others along",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 trailing_stop 0.05 take_profit 0.3 max_bars 9
        2   | 100  100  96  100   |
        3   | 110  120  116 118   |
        4   | 118  119  113 116   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 114 trailing_stop
        4   | cancelled stop_loss other_filled
        4   | cancelled take_profit other_filled
        4   | cancelled max_bars other_filled
        end | cash 1028
        """,
    ),
    story(
        "it follows from the price that was paid, slippage included",
        """
        day | open high low  close | asks
        1   | 100  100  100  100   | buy 2 trailing_stop 0.1
        2   | 100  100  90.5 95    |
        --
        2   | buy 2 @ 101
        2   | sell 2 @ 90.5 trailing_stop
        end | cash 979
        """,
        slippage_rate=0.01,
    ),
]


@every_way(STORIES)
def test_trailing_stops(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
