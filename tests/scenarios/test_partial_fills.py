"""Orders that fill in parts, in tables: no more than a share of the volume of a bar, and what becomes of the rest."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "at an open the last closed bar's volume counts, and the rest goes on working",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 5
        2   | 100  100  100 100   10     |
        3   | 100  100  100 100   100    |
        4   | 100  100  100 100   100    |
        --
        2   | buy 2 @ 100 left 3
        3   | buy 1 @ 100 left 2
        4   | buy 2 @ 100
        end | cash 500 position 5
        """,
        max_volume_share=0.1,
    ),
    story(
        "inside a bar its own volume counts",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   1      | buy 5 limit 95
        2   | 100  101  94  98    30     |
        3   | 98   99   94  96    100    |
        --
        2   | buy 3 @ 95 left 2 maker
        3   | buy 2 @ 95 maker
        end | cash 525 position 5
        """,
        max_volume_share=0.1,
    ),
    story(
        "without volume an order waits",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   0      | buy 5
        2   | 100  100  100 100   50     |
        3   | 101  101  101 101   50     |
        --
        3   | buy 5 @ 101
        end | cash 495 position 5
        """,
        max_volume_share=0.1,
    ),
    story(
        "immediate or cancel: what the volume does not give is gone",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 5 ioc as now
        2   | 100  100  100 100   100    |
        3   | 100  100  100 100   100    |
        --
        2   | buy 2 @ 100 left 3
        2   | cancelled now not_filled_at_once
        end | cash 800 position 2
        """,
        max_volume_share=0.1,
    ),
    story(
        "what is left of an order can be cancelled",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 5 as big
        2   | 100  100  100 100   100    | cancel big
        3   | 100  100  100 100   100    |
        --
        2   | buy 2 @ 100 left 3
        2   | cancelled big
        end | cash 800 position 2
        """,
        max_volume_share=0.1,
    ),
    story(
        "two orders share the volume, the first one first",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 1; buy 5
        2   | 100  100  100 100   100    |
        3   | 100  100  100 100   100    |
        --
        2   | buy 1 @ 100
        2   | buy 1 @ 100 left 4
        3   | buy 4 @ 100
        end | cash 400 position 6
        """,
        max_volume_share=0.1,
    ),
    story(
        "the share is rounded down to whole steps",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   29     | buy 5
        2   | 100  100  100 100   100    |
        3   | 100  100  100 100   100    |
        --
        2   | buy 2 @ 100 left 3
        3   | buy 3 @ 100
        end | cash 500 position 5
        """,
        max_volume_share=0.1,
        quantity_step=1,
    ),
    story(
        "the minima are of the order, not of its parts",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 5
        2   | 100  100  100 100   10     |
        3   | 100  100  100 100   100    |
        4   | 100  100  100 100   100    |
        --
        2   | buy 2 @ 100 left 3
        3   | buy 1 @ 100 left 2
        4   | buy 2 @ 100
        end | cash 500 position 5
        """,
        max_volume_share=0.1,
        min_quantity=3,
        min_notional=250,
    ),
    story(
        "an order for an amount of money knows after its first part how much is left",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy for 500
        2   | 100  100  50  50    100    |
        3   | 50   50   50  50    100    |
        --
        2   | buy 2 @ 100 left 3
        3   | buy 3 @ 50
        end | cash 650 position 5
        """,
        max_volume_share=0.1,
    ),
    story(
        "a target is measured anew for every part",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   40     | target 1
        2   | 100  100  50  50    1000   |
        3   | 50   50   50  50    1000   |
        --
        2   | buy 4 @ 100 left 6
        3   | buy 12 @ 50
        end | cash 0 position 16
        """,
        max_volume_share=0.1,
    ),
    story(
        "a target that prices have brought about needs no rest",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | target 0.5
        2   | 100  400  100 400   1000   |
        3   | 400  400  400 400   1000   |
        --
        2   | buy 2 @ 100 left 3
        3   | cancelled #1 nothing_to_trade
        end | cash 800 position 2
        """,
        max_volume_share=0.1,
        quantity_step=1,
    ),
    story(
        "a rest that the money does not pay any more is cancelled",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 9
        2   | 100  200  100 200   1000   |
        3   | 200  200  200 200   1000   |
        --
        2   | buy 2 @ 100 left 7
        3   | cancelled #1 insufficient_funds
        end | cash 800 position 2
        """,
        max_volume_share=0.1,
    ),
    story(
        "a target reached in part leaves the stop to the rest",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   100    | buy 4 stop_loss 0.1 take_profit 0.1
        2   | 100  105  95  100   100    |
        3   | 100  111  99  105   10     |
        4   | 105  106  89  95    100    |
        --
        2   | buy 4 @ 100
        3   | sell 1 @ 110 left 3 maker take_profit
        4   | sell 3 @ 90 stop_loss
        4   | cancelled take_profit other_filled
        end | cash 980
        """,
        max_volume_share=0.1,
    ),
    story(
        "the bracket grows with the parts that fill",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 4 stop_loss 0.1
        2   | 100  101  95  100   100    |
        3   | 100  101  89  95    100    |
        --
        2   | buy 2 @ 100 left 2
        3   | buy 2 @ 100
        3   | sell 4 @ 90 stop_loss
        end | cash 960
        """,
        max_volume_share=0.1,
    ),
    story(
        "what is left of a stop that was set off is sold at the next opens, wherever the price is",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   100    | buy 4 stop_loss 0.1 take_profit 0.5
        2   | 100  101  95  100   100    |
        3   | 100  101  89  95    20     |
        4   | 97   99   96  97    100    |
        --
        2   | buy 4 @ 100
        3   | sell 2 @ 90 left 2 stop_loss
        4   | sell 2 @ 97 stop_loss
        4   | cancelled take_profit other_filled
        end | cash 974
        """,
        max_volume_share=0.1,
    ),
    story(
        "a target reached in part leaves its stop as much less, whatever else is held",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   100    | buy 4 stop_loss 0.1 take_profit 0.1; buy 4
        2   | 100  105  95  100   100    |
        3   | 100  111  99  105   10     |
        4   | 105  106  89  95    100    |
        --
        2   | buy 4 @ 100
        2   | buy 4 @ 100
        3   | sell 1 @ 110 left 3 maker take_profit
        4   | sell 3 @ 90 stop_loss
        4   | cancelled take_profit other_filled
        end | cash 580 position 4
        """,
        max_volume_share=0.1,
    ),
    story(
        "a part, then no volume, then too dear: still a rest that is cancelled",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   20     | buy 9
        2   | 100  100  100 100   0      |
        3   | 100  200  100 200   1000   |
        4   | 200  200  200 200   1000   |
        --
        2   | buy 2 @ 100 left 7
        4   | cancelled #1 insufficient_funds
        end | cash 800 position 2
        """,
        max_volume_share=0.1,
    ),
    story(
        "what is left of an entry goes once its stop begins to close what there is",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   10     | buy 4 stop_loss 0.1 as entry
        2   | 100  100  100 100   10     |
        3   | 100  100  80  80    20     |
        4   | 80   80   80  80    10     |
        5   | 80   80   80  80    10     |
        --
        2   | buy 1 @ 100 left 3
        3   | buy 1 @ 100 left 2
        3   | sell 1 @ 90 left 1 stop_loss
        3   | cancelled entry other_filled
        4   | sell 1 @ 80 stop_loss
        end | cash 970
        """,
        max_volume_share=0.1,
    ),
    story(
        "a target that a stop ended in parts is not gone after again",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   10     | target 0.3 stop_loss 0.1
        2   | 100  100  80  80    10     | target 0.3
        3   | 80   80   80  80    10     | target 0.3
        4   | 80   80   80  80    10     | target 0.3
        5   | 80   80   80  80    10     |
        --
        2   | buy 1 @ 100 left 2
        3   | sell 1 @ 80 stop_loss
        3   | cancelled #1 other_filled
        end | cash 980
        """,
        max_volume_share=0.1,
    ),
]


@every_way(STORIES)
def test_partial_fills(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
