"""Targets that carry protection, in tables: the columns of a signals strategy, and when it enters again."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "after a stop the position stays flat until the target takes another value",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.1
        2   | 100  101  89  95    | target 1 stop_loss 0.1
        3   | 95   100  95  100   | target 1 stop_loss 0.1
        4   | 100  100  100 100   | target 0
        5   | 100  100  100 100   | target 1 stop_loss 0.1
        6   | 100  100  100 100   |
        --
        2   | buy 10 @ 100
        2   | sell 10 @ 90 stop_loss
        5   | refused nothing_to_trade
        6   | buy 9 @ 100
        end | cash 0 position 9
        """,
    ),
    story(
        "after a take-profit another size of the target enters again",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 take_profit 0.1
        2   | 100  111  99  105   | target 0.5 take_profit 0.1
        3   | 110  111  99  105   | target 0.5 take_profit 0.1
        4   | 110  110  99  105   |
        --
        2   | buy 10 @ 100
        2   | sell 10 @ 110 maker take_profit
        3   | buy 5 @ 110
        end | cash 550 position 5
        """,
    ),
    story(
        "the row of the change counts; what the columns say later does not",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.2
        2   | 100  101  95  100   | target 1 stop_loss 0.02
        3   | 100  101  81  100   | target 1 unprotected
        4   | 100  101  79  100   |
        --
        2   | buy 10 @ 100
        4   | sell 10 @ 80 stop_loss
        end | cash 800
        """,
    ),
    story(
        "an exit by the target takes the protection along",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.1 take_profit 0.2
        2   | 100  101  95  100   | target 0
        3   | 105  130  80  100   |
        --
        2   | buy 10 @ 100
        3   | sell 10 @ 105
        3   | cancelled stop_loss position_closed
        3   | cancelled take_profit position_closed
        end | cash 1050
        """,
    ),
    story(
        "adding renews the protection, measured from the price of the addition, for all that is held",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 stop_loss 0.1
        2   | 100  125  95  125   | target 1 stop_loss 0.1
        3   | 125  126  113 120   |
        4   | 120  121  112 120   |
        --
        2   | buy 5 @ 100
        3   | buy 4 @ 125
        3   | cancelled stop_loss replaced
        4   | sell 9 @ 112.5 stop_loss
        end | cash 1012.5
        """,
    ),
    story(
        "reducing leaves the protection as it is, for what is left",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.1
        2   | 100  101  95  100   | target 0.5 stop_loss 0.05
        3   | 100  101  91  100   |
        4   | 100  101  89  100   |
        --
        2   | buy 10 @ 100
        3   | sell 5 @ 100
        4   | sell 5 @ 90 stop_loss
        end | cash 950
        """,
    ),
    story(
        "adding without any protection takes the old one away",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 stop_loss 0.1
        2   | 100  101  95  100   | target 1 unprotected
        3   | 100  101  50  100   |
        --
        2   | buy 5 @ 100
        3   | buy 5 @ 100
        3   | cancelled stop_loss replaced
        end | cash 0 position 10
        """,
    ),
    story(
        "turning round protects the other side",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.1
        2   | 100  101  95  100   | target -1 stop_loss 0.1
        3   | 100  105  80  100   |
        4   | 100  111  95  100   |
        --
        2   | buy 10 @ 100
        3   | sell 20 @ 100
        3   | cancelled stop_loss position_closed
        4   | buy 10 @ 110 stop_loss
        end | cash 900
        """,
        allow_short=True,
    ),
    story(
        "a column of limits: a target that waits for its price",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 limit 95 stop_loss 0.1
        2   | 100  101  95  100   | target 1 limit 96 stop_loss 0.1
        3   | 100  101  94  100   | target 1
        4   | 100  101  85  100   |
        --
        3   | buy 10 @ 95 maker
        4   | sell 10 @ 85.5 stop_loss
        end | cash 855
        """,
        cash=950,
    ),
    story(
        "a target that changes takes the waiting limit back",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 limit 95
        2   | 100  101  96  100   | target 0
        3   | 100  101  90  100   |
        --
        2   | cancelled #1
        3   | refused nothing_to_trade
        end | cash 1000
        """,
    ),
    story(
        "an exit by a limit waits too, protected meanwhile",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.1
        2   | 100  101  95  100   | target 0 limit 105
        3   | 100  105  95  100   | target 0
        4   | 100  106  95  100   |
        --
        2   | buy 10 @ 100
        4   | sell 10 @ 105 maker
        4   | cancelled stop_loss position_closed
        end | cash 1050
        """,
    ),
    story(
        "an exit by a limit that is not needed any more is refused when its price comes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 stop_loss 0.1
        2   | 100  101  95  100   | target 0 limit 105
        3   | 100  101  89  95    | target 0
        4   | 95   106  95  100   |
        --
        2   | buy 10 @ 100
        3   | sell 10 @ 90 stop_loss
        4   | refused nothing_to_trade
        end | cash 900
        """,
    ),
    story(
        "a limit at which there is nothing to trade is refused at once",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5
        2   | 100  101  95  100   | target 0.5 again limit 90
        3   | 100  101  80  100   |
        --
        2   | buy 5 @ 100
        2   | refused nothing_to_trade
        end | cash 500 position 5
        """,
    ),
    story(
        "a limit to buy never sells, whatever was bought meanwhile",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 limit 90; buy 8
        2   | 100  101  89  100   |
        --
        2   | buy 8 @ 100
        2   | refused nothing_to_trade
        end | cash 200 position 8
        """,
    ),
    story(
        "a column of bars: out after two, and flat until the target changes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 max_bars 2
        2   | 100  101  99  100   | target 1 max_bars 2
        3   | 100  101  99  100   | target 1 max_bars 2
        4   | 110  111  99  100   | target 1 max_bars 2
        5   | 100  101  99  100   | target 0.5 max_bars 2
        6   | 100  101  99  100   |
        --
        2   | buy 10 @ 100
        4   | sell 10 @ 110 max_bars
        6   | buy 5.5 @ 100
        end | cash 550 position 5.5
        """,
    ),
    story(
        "the last bar that is allowed and the target's own exit at one open: sold once",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 max_bars 2
        2   | 100  101  99  100   | target 1 max_bars 2
        3   | 100  101  99  100   | target 0
        4   | 110  111  99  100   |
        --
        2   | buy 10 @ 100
        4   | sell 10 @ 110 max_bars
        4   | refused nothing_to_trade
        end | cash 1100
        """,
    ),
    story(
        "a column of trailing stops with an activation",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 trailing_stop 0.05 trailing_activation 0.1 stop_loss 0.2
        2   | 100  108  85  100   | target 1
        3   | 108  120  115 118   | target 1
        4   | 118  118  113 115   | target 1
        --
        2   | buy 10 @ 100
        4   | sell 10 @ 114 trailing_stop
        4   | cancelled stop_loss other_filled
        end | cash 1140
        """,
    ),
    story(
        "a target that comes nearer with time",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 take_profit 0.1 take_profit_after 1d 0.05 take_profit_after 3d 0.01
        2   | 100  109  99  100   | target 1
        3   | 100  104  99  100   | target 1
        4   | 100  105  99  100   | target 1
        5   | 100  102  99  100   | target 1
        --
        2   | buy 10 @ 100
        5   | sell 10 @ 101 maker take_profit
        end | cash 1010
        """,
    ),
    story(
        "a stop and a target reached in one bar, both ways",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target -1 stop_loss 0.1 take_profit 0.1
        2   | 100  105  95  100   | target -1
        3   | 100  115  85  110   | target -1
        -- worst
        2   | sell 10 @ 100
        3   | buy 10 @ 110 stop_loss
        3   | cancelled take_profit other_filled
        3   | ambiguous 900 1100
        end | cash 900
        -- best
        2   | sell 10 @ 100
        3   | buy 10 @ 90 maker take_profit
        3   | cancelled stop_loss other_filled
        3   | ambiguous 900 1100
        end | cash 1100
        """,
        allow_short=True,
    ),
    story(
        "an entry by a limit and its stop in one bar",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 limit 95 stop_loss 0.04
        2   | 100  101  90  100   | target 1
        --
        2   | buy 10 @ 95 maker
        2   | sell 10 @ 91.2 stop_loss
        end | cash 912
        """,
        cash=950,
    ),
    story(
        "an entry by a limit, its stop and its target in one bar",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 limit 95 stop_loss 0.04 take_profit 0.04
        2   | 100  101  90  100   | target 1
        -- worst
        2   | buy 10 @ 95 maker
        2   | sell 10 @ 91.2 stop_loss
        2   | cancelled take_profit other_filled
        2   | ambiguous 912 988
        end | cash 912
        -- best
        2   | buy 10 @ 95 maker
        2   | sell 10 @ 98.8 maker take_profit
        2   | cancelled stop_loss other_filled
        2   | ambiguous 912 988
        end | cash 988
        """,
        cash=950,
    ),
]


@every_way(STORIES)
def test_protected_targets(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
