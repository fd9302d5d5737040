"""Bars that are walked along finer candles or trades, in tables: what happened first is known there."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "finer candles tell that the target came before the stop",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 stop_loss 0.1 take_profit 0.1
        2       | 100  100  100 100        |
        3       | 100  112  88  100        |
        3 00:00 | detail 100 112 99 110    |
        3 12:00 | detail 110 110 88 100    |
        --
        2       | buy 2 @ 100
        3       | sell 2 @ 110 maker take_profit
        3       | cancelled stop_loss other_filled
        end     | cash 1020
        """,
    ),
    story(
        "or that the stop came first",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 stop_loss 0.1 take_profit 0.1
        2       | 100  100  100 100        |
        3       | 100  112  88  100        |
        3 00:00 | detail 100 101 99 99     |
        3 12:00 | detail 99 99 88 89       |
        3 18:00 | detail 89 112 89 100     |
        --
        2       | buy 2 @ 100
        3 12:00 | sell 2 @ 90 stop_loss
        3 12:00 | cancelled take_profit other_filled
        end     | cash 980
        """,
    ),
    story(
        "a finer candle may be ambiguous in its turn",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 stop_loss 0.1 take_profit 0.1
        2       | 100  112  88  100        |
        2 00:00 | detail 100 101 99 100    |
        2 12:00 | detail 100 112 88 100    |
        -- worst
        2       | buy 2 @ 100
        2 12:00 | sell 2 @ 90 stop_loss
        2 12:00 | cancelled take_profit other_filled
        2 12:00 | ambiguous 980 1020
        end     | cash 980
        -- best
        2       | buy 2 @ 100
        2 12:00 | sell 2 @ 110 maker take_profit
        2 12:00 | cancelled stop_loss other_filled
        2 12:00 | ambiguous 980 1020
        end     | cash 1020
        """,
    ),
    story(
        "a bar without finer candles is walked itself",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 stop_loss 0.1
        2       | 100  100  95  100        |
        2 00:00 | detail 100 100 95 100    |
        3       | 100  101  89  100        |
        --
        2       | buy 2 @ 100
        3       | sell 2 @ 90 stop_loss
        end     | cash 980
        """,
    ),
    story(
        "out after one bar is the open of the next bar, not of the next finer candle",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 max_bars 1
        2       | 100  102  100 102        |
        2 00:00 | detail 100 101 100 101   |
        2 12:00 | detail 101 102 101 102   |
        3       | 103  103  103 103        |
        --
        2       | buy 2 @ 100
        3       | sell 2 @ 103 max_bars
        end     | cash 1006
        """,
    ),
    story(
        "a new limit takes at the first finer candle, and rests from then on",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 limit 101; buy 2 limit 95
        2       | 100  102  90  102        |
        2 00:00 | detail 100 101 97 97     |
        2 12:00 | detail 93 102 90 102     |
        --
        2       | buy 2 @ 100
        2 12:00 | buy 2 @ 93 maker
        end     | cash 614 position 4
        """,
    ),
    story(
        "funding is paid on the price that the finer candles have reached",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2
        2       | 100  150  100 150        |
        2 00:00 | detail 100 120 100 120   |
        2 08:00 | funding 0.01             |
        2 12:00 | detail 120 150 120 150   |
        --
        2       | buy 2 @ 100
        2 08:00 | charged 2.4 funding
        end     | cash 797.6 position 2
        """,
    ),
    story(
        "trades: a market order fills at the next one",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        |
        2       | 100  102  100 102        |
        2 08:00 | trade 101 5              | buy 2
        2 09:00 | trade 102 5              |
        --
        2 09:00 | buy 2 @ 102
        end     | cash 796 position 2
        """,
    ),
    story(
        "trades: a stop fills at the price of the trade that touches it",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 stop 105
        2       | 100  108  100 108        |
        2 08:00 | trade 104 5              |
        2 09:00 | trade 107 5              |
        2 10:00 | trade 108 5              |
        --
        2 09:00 | buy 2 @ 107
        end     | cash 786 position 2
        """,
    ),
    story(
        "trades: a limit that rested fills at its price, however far the trade goes through it",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 limit 95
        2       | 100  100  90  90         |
        2 08:00 | trade 96 5               |
        2 09:00 | trade 95 5               |
        2 10:00 | trade 90 5               |
        --
        2 10:00 | buy 2 @ 95 maker
        end     | cash 810 position 2
        """,
    ),
    story(
        "trades: a trailing stop follows them one by one",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 trailing_amount 5
        2       | 100  110  100 104        |
        2 08:00 | trade 100 5              |
        2 09:00 | trade 110 5              |
        2 10:00 | trade 106 5              |
        2 11:00 | trade 104 5              |
        --
        2       | buy 2 @ 100
        2 11:00 | sell 2 @ 104 trailing_stop
        end     | cash 1008
        """,
    ),
    story(
        "trades: no more than a share of each is ours",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | buy 2 limit 95
        2       | 100  100  90  90         |
        2 08:00 | trade 96 100             |
        2 09:00 | trade 94 5               |
        2 10:00 | trade 93 100             |
        --
        2 09:00 | buy 0.5 @ 95 left 1.5 maker
        2 10:00 | buy 1.5 @ 95 maker
        end     | cash 810 position 2
        """,
        max_volume_share=0.1,
    ),
    story(
        "trades: a liquidation takes the margin",
        """
        day     | open high low close      | asks
        1       | 100  100  100 100        | target 2
        2       | 100  100  40  60         |
        2 08:00 | trade 51 5               |
        2 09:00 | trade 40 5               |
        --
        2       | buy 20 @ 100
        2 09:00 | sell 20 @ 50 liquidation
        end     | cash 0
        """,
        leverage=2,
    ),
]


@every_way(STORIES)
def test_finer_than_bars(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
