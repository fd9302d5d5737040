"""How much is traded, in tables: fixed sizes, targets in units and money, steps, minima, adding and scaling out."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "a target in units",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 units 2
        2   | 100  100  100 100   | target -1 units 2
        3   | 100  100  100 100   | target 0 units 2
        4   | 100  100  100 100   |
        --
        2   | buy 2 @ 100
        3   | sell 4 @ 100
        4   | buy 2 @ 100
        end | cash 1000
        """,
        allow_short=True,
    ),
    story(
        "a target worth an amount of money, at the price of the fill",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 worth 500
        2   | 100  125  100 125   | target 0.5 worth 500
        3   | 125  125  125 125   |
        --
        2   | buy 5 @ 100
        3   | sell 3 @ 125
        end | cash 875 position 2
        """,
    ),
    story(
        "units that the money does not pay",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 units 11
        2   | 100  100  100 100   |
        --
        2   | refused insufficient_funds
        end | cash 1000
        """,
    ),
    story(
        "units to sell that are not there",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target -1 units 2
        2   | 100  100  100 100   |
        --
        2   | refused nothing_to_sell
        end | cash 1000
        """,
    ),
    story(
        "units in whole steps: what is bought and what is sold is rounded down, what is closed is not",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 units 4.7
        2   | 100  100  100 100   | target 1 units 1.5 again
        3   | 100  100  100 100   | target 0
        4   | 100  100  100 100   |
        --
        2   | buy 4 @ 100
        3   | sell 2 @ 100
        4   | sell 2 @ 100
        end | cash 1000
        """,
        quantity_step=1,
    ),
    story(
        "money in whole steps",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1 worth 550
        2   | 100  100  100 100   |
        --
        2   | buy 5 @ 100
        end | cash 500 position 5
        """,
        quantity_step=1,
    ),
    story(
        "a share of a fraction of equity",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 size 0.4
        2   | 100  100  100 100   |
        --
        2   | buy 2 @ 100
        end | cash 800 position 2
        """,
    ),
    story(
        "the same target again brings back its share of equity",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5
        2   | 100  200  100 200   | target 0.5
        3   | 200  200  200 200   | target 0.5 again
        4   | 200  200  200 200   |
        --
        2   | buy 5 @ 100
        4   | sell 1.25 @ 200
        end | cash 750 position 3.75
        """,
    ),
    story(
        "the same amount every time buys more where it is cheap",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy for 200
        2   | 100  100  80  80    | buy for 200
        3   | 80   80   50  50    | buy for 200
        4   | 50   50   50  50    |
        --
        2   | buy 2 @ 100
        3   | buy 2.5 @ 80
        4   | buy 4 @ 50
        end | cash 400 position 8.5
        """,
    ),
    story(
        "adding to what wins, each part with a stop of its own",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 4 stop_loss 0.1
        2   | 100  120  95  120   | buy 2 stop_loss 0.1
        3   | 120  140  115 140   | buy 1 stop_loss 0.1
        4   | 140  141  107 110   |
        --
        2   | buy 4 @ 100
        3   | buy 2 @ 120
        4   | buy 1 @ 140
        4   | sell 1 @ 126 stop_loss
        4   | sell 2 @ 108 stop_loss
        end | cash 562 position 4
        """,
    ),
    story(
        "scaling out in three steps",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 9
        2   | 100  100  100 100   | sell 3
        3   | 110  110  110 110   | sell 3
        4   | 120  120  120 120   | sell 3
        5   | 130  130  130 130   |
        --
        2   | buy 9 @ 100
        3   | sell 3 @ 110
        4   | sell 3 @ 120
        5   | sell 3 @ 130
        end | cash 1180
        """,
    ),
    story(
        "three tenths are sold to the last bit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 0.1; buy 0.2
        2   | 100  100  100 100   | sell 0.3
        3   | 100  100  100 100   |
        --
        2   | buy 0.1 @ 100
        2   | buy 0.2 @ 100
        3   | sell 0.3 @ 100
        end | cash 1000
        """,
        quantity_step=0.1,
    ),
    story(
        "a market order that only reduces sells what there is",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 5 reduce_only
        3   | 100  100  100 100   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 100
        end | cash 1000
        """,
        allow_short=True,
    ),
    story(
        "a market order that only reduces, where there is nothing, is gone",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 5 reduce_only as back
        2   | 100  100  100 100   |
        --
        2   | cancelled back position_closed
        end | cash 1000
        """,
    ),
    story(
        "reducing by money: no more than is held",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell for 500 reduce_only
        3   | 100  100  100 100   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 100
        end | cash 1000
        """,
    ),
    story(
        "the smallest notional is measured at the price of the fill",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 1 limit 49; buy 1 limit 50
        2   | 100  100  45  45    |
        --
        2   | buy 1 @ 50 maker
        2   | refused below_min_notional
        end | cash 950 position 1
        """,
        min_notional=50,
    ),
    story(
        "an order that is replaced works at its new price only",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 as dip
        2   | 100  101  96  98    | replace dip with deeper limit 90
        3   | 98   99   91  97    |
        4   | 97   98   89  97    |
        --
        2   | cancelled dip
        4   | buy 2 @ 90 maker
        end | cash 820 position 2
        """,
    ),
    story(
        "a new quantity, the same price",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy for 190 limit 95 as dip
        2   | 100  101  96  98    | replace dip with larger quantity 5
        3   | 98   99   91  97    |
        --
        2   | cancelled dip
        3   | buy 5 @ 95 maker
        end | cash 525 position 5
        """,
    ),
    story(
        "a stop that is moved",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2; sell 2 stop 90 as out
        2   | 100  110  99  110   | replace out with higher stop 105
        3   | 110  111  104 110   |
        --
        2   | buy 2 @ 100
        2   | cancelled out
        3   | sell 2 @ 105
        end | cash 1010
        """,
    ),
    story(
        "what has filled cannot be replaced",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 as dip
        2   | 100  101  94  98    | replace dip with deeper limit 90
        3   | 98   99   80  97    |
        --
        2   | buy 2 @ 95 maker
        end | cash 810 position 2
        """,
    ),
    story(
        "reducing pays its fee out of what is left",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1
        2   | 100  100  100 100   | target 0.5
        3   | 100  100  100 100   |
        --
        2   | buy 10 @ 100 fee 250
        3   | sell 5 @ 100 fee 125
        end | cash 375 position 5
        """,
        cash=1_250,
        fee_rate=0.25,
    ),
    story(
        "turning round closes what is not in whole steps too",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 1
        2   | 100  100  100 100   | target -1
        3   | 100  100  100 100   |
        --
        2   | buy 9 @ 100 fee_base 0.09
        3   | sell 17.91 @ 100 fee 17.91
        end | cash 1873.09 position -9
        """,
        fee_rate=0.01,
        fee_in_base=True,
        quantity_step=1,
        allow_short=True,
    ),
    story(
        "adding to a target in units buys the difference",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 units 4
        2   | 100  100  100 100   | target 1 units 5
        3   | 100  100  100 100   |
        --
        2   | buy 2 @ 100
        3   | buy 3 @ 100
        end | cash 500 position 5
        """,
    ),
]


@every_way(STORIES)
def test_sizes(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
