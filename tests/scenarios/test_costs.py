"""What trading and holding cost, in tables: fees, spread, impact, latency, borrowing and funding."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "fees fall with the volume of thirty days, counted before each fill",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 4
        2   | 100  100  100 100   | buy 2
        3   | 100  100  100 100   | sell 6
        4   | 100  100  100 100   |
        --
        2   | buy 4 @ 100 fee 8
        3   | buy 2 @ 100 fee 4
        4   | sell 6 @ 100 fee 6
        end | cash 982
        """,
        fee_schedule=((0, 0.01, 0.02), (500, 0.005, 0.01)),
    ),
    story(
        "the maker's column of the schedule is for what rested",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 6 limit 95
        2   | 100  101  94  100   | sell 6 limit 110
        3   | 100  111  94  100   |
        --
        2   | buy 6 @ 95 fee 5.7 maker
        3   | sell 6 @ 110 fee 3.3 maker
        end | cash 1081
        """,
        fee_schedule=((0, 0.01, 0.02), (500, 0.005, 0.01)),
    ),
    story(
        "after thirty days a fill is forgotten",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 6
        2   | 100  100  100 100   |
        30  | 100  100  100 100   | sell 3
        31  | 100  100  100 100   | sell 3
        32  | 100  100  100 100   |
        --
        2   | buy 6 @ 100 fee 12
        31  | sell 3 @ 100 fee 3
        32  | sell 3 @ 100 fee 6
        end | cash 979
        """,
        fee_schedule=((0, 0.01, 0.02), (500, 0.005, 0.01)),
    ),
    story(
        "a fee in base is taken from what is bought",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 1.98
        3   | 100  100  100 100   |
        --
        2   | buy 2 @ 100 fee_base 0.02
        3   | sell 1.98 @ 100 fee 1.98
        end | cash 996.02
        """,
        fee_rate=0.01,
        fee_in_base=True,
    ),
    story(
        "a bracket protects what the fee in base has left",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.2
        2   | 100  101  95  100   |
        3   | 100  101  89  95    |
        --
        2   | buy 2 @ 100 fee_base 0.02
        3   | sell 1.98 @ 90 fee 1.782 stop_loss
        3   | cancelled take_profit other_filled
        end | cash 976.418
        """,
        fee_rate=0.01,
        fee_in_base=True,
    ),
    story(
        "buying a short back pays in quote, so that nothing is left of it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2
        2   | 100  100  100 100   | buy 2
        3   | 100  100  100 100   |
        --
        2   | sell 2 @ 100 fee 2
        3   | buy 2 @ 100 fee 2
        end | cash 996
        """,
        fee_rate=0.01,
        fee_in_base=True,
        allow_short=True,
    ),
    story(
        "a market order pays the half of the spread, on either side",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   | sell 2
        3   | 100  100  100 100   |
        --
        2   | buy 2 @ 101
        3   | sell 2 @ 99
        end | cash 996
        """,
        spread_rate=0.02,
    ),
    story(
        "spread and slippage add up, and what rests pays neither",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2; buy 2 limit 95
        2   | 100  100  94  100   |
        --
        2   | buy 2 @ 102
        2   | buy 2 @ 95 maker
        end | cash 606 position 4
        """,
        spread_rate=0.02,
        slippage_rate=0.01,
    ),
    story(
        "impact grows with the square root of the share of the volume",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   100    | buy 4
        2   | 100  100  100 100   400    | sell 1
        3   | 100  100  100 100   100    |
        --
        2   | buy 4 @ 102
        3   | sell 1 @ 99.5
        end | cash 691.5 position 3
        """,
        impact_rate=0.1,
    ),
    story(
        "impact and slippage add up",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   100    | buy 4
        2   | 100  100  100 100   100    |
        --
        2   | buy 4 @ 103
        end | cash 588 position 4
        """,
        impact_rate=0.1,
        slippage_rate=0.01,
    ),
    story(
        "a stop's impact is measured by the bar in which it is set off",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   1      | buy 1 stop 105; buy 1 limit 99
        2   | 100  110  98  104   25     |
        --
        2   | buy 1 @ 107.1
        2   | buy 1 @ 99 maker
        end | cash 793.9 position 2
        """,
        impact_rate=0.1,
    ),
    story(
        "without volume nothing is known of an impact",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   0      | buy 4
        2   | 100  100  100 100   100    |
        --
        2   | buy 4 @ 100
        end | cash 600 position 4
        """,
        impact_rate=0.1,
    ),
    story(
        "a target that its own impact makes dearer buys less",
        """
        day | open high low close volume | asks
        1   | 100  100  100 100   1000   | target 1
        2   | 100  100  100 100   1000   |
        --
        2   | buy 9.900990099009901 @ 101
        end | cash 0 position 9.900990099009901
        """,
        impact_rate=0.1,
    ),
    story(
        "a bar of latency: an order fills an open later",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 101  101  101 101   |
        3   | 102  102  102 102   |
        --
        3   | buy 2 @ 102
        end | cash 796 position 2
        """,
        latency_bars=1,
    ),
    story(
        "two bars of latency: a limit sees nothing of what happens before",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 bars 1
        2   | 100  101  90  100   |
        3   | 100  101  90  100   |
        4   | 94   101  90  100   |
        5   | 90   101  90  100   |
        --
        4   | buy 2 @ 94
        end | cash 812 position 2
        """,
        latency_bars=2,
    ),
    story(
        "an order that is on its way can be cancelled",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 as late
        2   | 101  101  101 101   | cancel late
        3   | 102  102  102 102   |
        --
        2   | cancelled late
        end | cash 1000
        """,
        latency_bars=1,
    ),
    story(
        "a bracket lies at the exchange and is not late",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1
        2   | 100  100  100 100   | buy 2 max_bars 1
        3   | 100  100  89  95    |
        4   | 95   95   95  95    |
        --
        3   | buy 2 @ 100
        3   | sell 2 @ 90 stop_loss
        4   | buy 2 @ 95
        end | cash 790 position 2
        """,
        latency_bars=1,
    ),
    story(
        "three hours of latency: the first finer candle that opens after them",
        """
        day     | open high low close   | asks
        1 00:00 | 100  100  100 100     | buy 2; buy 1 limit 101.5
        1 06:00 | 100  104  100 104     |
        1 06:00 | detail 100 101 100 101 |
        1 08:00 | detail 101 102 101 102 |
        1 09:00 | detail 103 104 101 104 |
        --
        1 09:00 | buy 2 @ 103
        1 09:00 | buy 1 @ 101.5 maker
        end     | cash 692.5 position 3
        """,
        latency_ms=3 * 3_600_000,
    ),
    story(
        "three hours of latency: the first trade after them",
        """
        day     | open high low close   | asks
        1 00:00 | 100  100  100 100     | buy 2
        1 06:00 | 100  104  100 104     |
        1 08:59 | trade 101 5           |
        1 10:00 | trade 103 5           |
        --
        1 10:00 | buy 2 @ 103
        end     | cash 794 position 2
        """,
        latency_ms=3 * 3_600_000,
    ),
    story(
        "a short pays for what it borrows at every close, by the year",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2
        2   | 100  100  100 100   |
        3   | 100  110  100 110   | buy 2
        4   | 110  110  110 110   |
        --
        2   | sell 2 @ 100
        2   | charged 0.2 borrow
        3   | charged 0.22 borrow
        4   | buy 2 @ 110
        end | cash 979.58
        """,
        borrow_rate=0.365,
        allow_short=True,
    ),
    story(
        "a long borrows nothing",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  100 100   |
        --
        2   | buy 2 @ 100
        end | cash 800 position 2
        """,
        borrow_rate=0.365,
    ),
    story(
        "funding is paid by longs on the last price, and received where it is negative",
        """
        day     | open high low close | asks
        1       | 100  100  100 100   | buy 2
        1 08:00 | funding 0.01        |
        2       | 100  130  100 120   |
        2 08:00 | funding 0.01        |
        3       | 110  130  100 120   |
        3 08:00 | funding -0.02       |
        --
        2       | buy 2 @ 100
        2 08:00 | charged 2 funding
        3 08:00 | charged -4.4 funding
        end     | cash 802.4 position 2
        """,
    ),
    story(
        "shorts receive what longs pay",
        """
        day     | open high low close | asks
        1       | 100  100  100 100   | sell 2
        2       | 100  130  100 120   |
        2 16:00 | funding 0.01        |
        --
        2       | sell 2 @ 100
        2 16:00 | charged -2 funding
        end     | cash 1202 position -2
        """,
        allow_short=True,
    ),
    story(
        "what funding left to be owed is forgiven where the position is worth no more than that",
        """
        day     | open high low close | asks
        1       | 100  100  100 100   | buy 10
        1 08:00 | funding 0.01        |
        2       | 100  100  100 100   |
        2 08:00 | funding 0.05        |
        3       | 100  100  4   4     |
        4       | 4    4    4   4     | buy 1
        5       | 4    4    4   4     |
        --
        2       | buy 10 @ 100
        2 08:00 | charged 50 funding
        3       | sell 10 @ 0 liquidation
        3       | charged -50 no_equity_left
        5       | refused insufficient_funds
        end     | cash 0
        """,
    ),
]


@every_way(STORIES)
def test_costs(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
