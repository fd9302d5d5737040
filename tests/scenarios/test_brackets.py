"""Brackets in tables: what protects a position, from its entry on, and one that fills cancels the other."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "a stop-loss closes the position at its fraction below the entry",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1
        2   | 100  105  91  100   |
        3   | 100  101  90  95    |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 90 stop_loss
        end | cash 980
        """,
    ),
    story(
        "a take-profit is a limit order: through its price, at its price",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 take_profit 0.1
        2   | 100  105  91  100   |
        3   | 100  110  90  95    |
        4   | 100  111  90  95    |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 110 maker take_profit
        end | cash 1020
        """,
    ),
    story(
        "both may be prices",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss_price 93 take_profit_price 107
        2   | 101  102  94  100   |
        3   | 100  108  95  95    |
        --
        2   | buy 2 @ 101
        3   | sell 2 @ 107 maker take_profit
        3   | cancelled stop_loss other_filled
        end | cash 1012
        """,
    ),
    story(
        "the stop fills, the target goes",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  105  91  100   |
        3   | 100  101  89  95    |
        4   | 95   120  95  120   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 90 stop_loss
        3   | cancelled take_profit other_filled
        end | cash 980
        """,
    ),
    story(
        "a bar that reaches both: the stop by the worse way, the target by the better",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  105  91  100   |
        3   | 100  112  88  100   |
        -- worst
        2   | buy 2 @ 100
        3   | sell 2 @ 90 stop_loss
        3   | cancelled take_profit other_filled
        3   | ambiguous 980 1020
        end | cash 980
        -- best
        2   | buy 2 @ 100
        3   | sell 2 @ 110 maker take_profit
        3   | cancelled stop_loss other_filled
        3   | ambiguous 980 1020
        end | cash 1020
        """,
    ),
    story(
        "a position is protected in the bar of its entry",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1
        2   | 100  101  89  95    |
        --
        2   | buy 2 @ 100
        2   | sell 2 @ 90 stop_loss
        end | cash 980
        """,
    ),
    story(
        "the bar of the entry may reach both",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  112  88  100   |
        -- worst
        2   | buy 2 @ 100
        2   | sell 2 @ 90 stop_loss
        2   | cancelled take_profit other_filled
        2   | ambiguous 980 1020
        end | cash 980
        -- best
        2   | buy 2 @ 100
        2   | sell 2 @ 110 maker take_profit
        2   | cancelled stop_loss other_filled
        2   | ambiguous 980 1020
        end | cash 1020
        """,
    ),
    story(
        "an open beyond the stop fills it there",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  105  91  100   |
        3   | 80   120  79  120   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 80 stop_loss
        3   | cancelled take_profit other_filled
        end | cash 960
        """,
    ),
    story(
        "an open beyond the target fills it there, which is better",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  105  91  100   |
        3   | 120  121  79  80    |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 120 maker take_profit
        3   | cancelled stop_loss other_filled
        end | cash 1040
        """,
    ),
    story(
        "a short is protected above and takes its profit below",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | sell 2 stop_loss 0.1 take_profit 0.2
        2   | 100  109  81  100   |
        3   | 100  111  99  105   | sell 2 stop_loss 0.1 take_profit 0.2
        4   | 100  101  79  85    |
        --
        2   | sell 2 @ 100
        3   | buy 2 @ 110 stop_loss
        3   | cancelled take_profit other_filled
        4   | sell 2 @ 100
        4   | buy 2 @ 80 maker take_profit
        4   | cancelled stop_loss other_filled
        end | cash 1020
        """,
        allow_short=True,
    ),
    story(
        "the fractions are of the price that was paid, the exit pays its own slippage and fee",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1
        2   | 100  105  95  100   |
        3   | 100  101  85  95    |
        --
        2   | buy 2 @ 101 fee 2.02
        3   | sell 2 @ 89.991 fee 1.79982 stop_loss
        end | cash 974.16218
        """,
        fee_rate=0.01,
        slippage_rate=0.01,
    ),
    story(
        "a take-profit pays the maker's fee and no slippage",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 take_profit 0.1
        2   | 100  105  95  100   |
        3   | 100  112  99  105   |
        --
        2   | buy 2 @ 101 fee 2.02
        3   | sell 2 @ 111.1 fee 0.2222 maker take_profit
        end | cash 1017.9578
        """,
        fee_rate=0.01,
        maker_fee_rate=0.001,
        slippage_rate=0.01,
    ),
    story(
        "the prices of a bracket are on ticks, on the side that fills later",
        """
        day | open high  low  close | asks
        1   | 100  100   100  100   | buy 2 stop_loss 0.033 take_profit 0.033; buy 2 take_profit 0.033
        2   | 100  103.4 96.6 100   |
        3   | 100  100   96.5 100   |
        4   | 100  103.6 100  100   |
        --
        2   | buy 2 @ 100
        2   | buy 2 @ 100
        3   | sell 2 @ 96.5 stop_loss
        3   | cancelled take_profit other_filled
        4   | sell 2 @ 103.5 maker take_profit
        end | cash 1000
        """,
        price_tick=0.5,
    ),
    story(
        "selling by hand takes the bracket along",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  105  91  100   | sell 2
        3   | 105  120  80  100   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 105
        3   | cancelled stop_loss position_closed
        3   | cancelled take_profit position_closed
        end | cash 1010
        """,
    ),
    story(
        "selling a part by hand leaves the bracket to what is left",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 3 stop_loss 0.1
        2   | 100  105  91  100   | sell 1
        3   | 100  101  89  100   |
        --
        2   | buy 3 @ 100
        3   | sell 1 @ 100
        3   | sell 2 @ 90 stop_loss
        end | cash 980
        """,
    ),
    story(
        "the bracket of a fixed order protects what that order bought",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1
        2   | 100  105  91  100   | buy 3
        3   | 100  101  89  95    |
        --
        2   | buy 2 @ 100
        3   | buy 3 @ 100
        3   | sell 2 @ 90 stop_loss
        end | cash 680 position 3
        """,
    ),
    story(
        "two fixed orders, each with its own stop",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1
        2   | 100  105  91  100   | buy 3 stop_loss 0.05
        3   | 100  101  94  95    |
        4   | 95   96   89  90    |
        --
        2   | buy 2 @ 100
        3   | buy 3 @ 100
        3   | sell 3 @ 95 stop_loss
        4   | sell 2 @ 90 stop_loss
        end | cash 965
        """,
    ),
    story(
        "a fixed order that turns the position round leaves nothing of the old bracket",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.1
        2   | 100  105  91  100   | sell 5 stop_loss 0.2
        3   | 100  115  85  100   | buy 6
        4   | 100  115  85  100   |
        --
        2   | buy 2 @ 100
        3   | sell 5 @ 100
        3   | cancelled stop_loss position_closed
        3   | cancelled take_profit position_closed
        4   | buy 6 @ 100
        4   | cancelled stop_loss position_closed
        end | cash 700 position 3
        """,
        allow_short=True,
    ),
    story(
        "breakout trap: what happened first decides whether the entry's stop is hit",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 stop_loss 0.05
        2   | 100  110  98  108   |
        -- worst
        2   | buy 2 @ 105
        2   | sell 2 @ 99.75 stop_loss
        2   | ambiguous 989.5 1006 diverges
        end | cash 989.5
        -- best
        2   | buy 2 @ 105
        2   | ambiguous 989.5 1006 diverges
        end | cash 790 position 2
        """,
    ),
    story(
        "breakout trap: both ways win, unless the price turned at the entry",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop 105 stop_loss 0.02 take_profit 0.03
        2   | 100  109  100 103   |
        -- worst
        2   | buy 2 @ 105
        2   | sell 2 @ 102.9 stop_loss
        2   | cancelled take_profit other_filled
        2   | ambiguous 995.8 1006.3
        end | cash 995.8
        -- best
        2   | buy 2 @ 105
        2   | sell 2 @ 108.15 maker take_profit
        2   | cancelled stop_loss other_filled
        2   | ambiguous 995.8 1006.3
        end | cash 1006.3
        """,
    ),
    story(
        "a dip that is bought by a limit may win at once, or only look like it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 take_profit 0.04
        2   | 100  101  94  98    |
        -- worst
        2   | buy 2 @ 95 maker
        2   | ambiguous 1006 1007.6 diverges
        end | cash 810 position 2
        -- best
        2   | buy 2 @ 95 maker
        2   | sell 2 @ 98.8 maker take_profit
        2   | ambiguous 1006 1007.6 diverges
        end | cash 1007.6
        """,
    ),
    story(
        "adding inside the bar renews the bracket, and the trap is seen there too",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 stop_loss 0.2
        2   | 100  104  96  100   | target 1 limit 95 stop_loss 0.04
        3   | 100  101  91  96    |
        --
        2   | buy 5 @ 100
        3   | buy 5.2631578947368421 @ 95 maker
        3   | cancelled stop_loss replaced
        3   | sell 10.2631578947368421 @ 91.2 stop_loss
        end | cash 936
        """,
    ),
    story(
        "after so many bars the position is closed at the open",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 max_bars 3
        2   | 100  101  99  100   |
        3   | 100  101  99  100   |
        4   | 100  101  99  100   |
        5   | 103  104  102 103   |
        --
        2   | buy 2 @ 100
        5   | sell 2 @ 103 max_bars
        end | cash 1006
        """,
    ),
    story(
        "for one bar only: in at one open, out at the next",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 max_bars 1 stop_loss 0.1
        2   | 100  101  99  100   |
        9   | 101  104  80  103   |
        --
        2   | buy 2 @ 100
        9   | sell 2 @ 101 max_bars
        9   | cancelled stop_loss other_filled
        end | cash 1002
        """,
    ),
    story(
        "a stop that comes before the time is over",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 max_bars 2 stop_loss 0.1
        2   | 100  101  99  100   |
        3   | 100  101  89  100   |
        4   | 103  104  102 103   |
        --
        2   | buy 2 @ 100
        3   | sell 2 @ 90 stop_loss
        3   | cancelled max_bars other_filled
        end | cash 980
        """,
    ),
    story(
        "the target comes nearer with time, and an open beyond it takes it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 take_profit 0.1 take_profit_after 2d 0.02
        2   | 100  109  99  100   |
        3   | 100  109  99  100   |
        4   | 105  106  99  100   |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 105 maker take_profit
        end | cash 1010
        """,
    ),
    story(
        "step by step down to the entry price, counted from the bar of the entry",
        """
        day | open high low close | asks
        1   | 99   99   99  99    | buy 2 take_profit_after 1d 0.05 take_profit_after 3d 0 stop_loss 0.2
        2   | 100  120  99  99    |
        3   | 99   105  98  99    |
        4   | 99   104  98  99    |
        5   | 99   101  98  99    |
        --
        2   | buy 2 @ 100
        5   | sell 2 @ 100 maker take_profit
        5   | cancelled stop_loss other_filled
        end | cash 1000
        """,
    ),
    story(
        "bars within a day count by the hour",
        """
        day     | open high low close | asks
        1 00:00 | 100  100  100 100   | buy 2 take_profit 0.1 take_profit_after 12h 0.02
        1 06:00 | 100  109  99  100   |
        1 12:00 | 100  109  99  100   |
        1 18:00 | 100  103  99  100   |
        --
        1 06:00 | buy 2 @ 100
        1 18:00 | sell 2 @ 102 maker take_profit
        end     | cash 1004
        """,
    ),
    story(
        "protect puts a bracket around what is held, from its average price",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 1
        2   | 100  100  80  80    | buy 1
        3   | 80   90   80  90    | protect stop_loss 0.1
        4   | 90   90   82  85    |
        5   | 85   85   81  85    |
        --
        2   | buy 1 @ 100
        3   | buy 1 @ 80
        5   | sell 2 @ 81 stop_loss
        end | cash 982
        """,
    ),
    story(
        "protect anew takes the place of what protected before, and nothing of nothing",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | target 0.5 stop_loss 0.1
        2   | 100  101  95  100   | protect stop_loss 0.2 take_profit 0.3
        3   | 100  101  85  100   | protect nothing
        4   | 100  140  10  100   |
        --
        2   | buy 5 @ 100
        2   | cancelled stop_loss replaced
        3   | cancelled stop_loss replaced
        3   | cancelled take_profit replaced
        end | cash 500 position 5
        """,
    ),
    story(
        "nothing is protected where nothing is held",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | protect stop_loss 0.1
        2   | 100  101  50  100   | buy 1
        3   | 100  101  50  100   |
        --
        3   | buy 1 @ 100
        end | cash 900 position 1
        """,
    ),
    story(
        "a stop of a bracket can be moved, and stays a part of it",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.2 as entry
        2   | 100  110  95  110   | replace entry/stop_loss with entry/break_even stop 100
        3   | 110  111  100 105   |
        --
        2   | buy 2 @ 100
        2   | cancelled stop_loss
        3   | sell 2 @ 100 stop_loss
        3   | cancelled take_profit other_filled
        end | cash 1000
        """,
    ),
    story(
        "a part of a bracket can be cancelled, the others stay",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 stop_loss 0.1 take_profit 0.2 as entry
        2   | 100  110  95  110   | cancel entry/stop_loss
        3   | 110  111  80  105   |
        4   | 110  121  80  105   |
        --
        2   | buy 2 @ 100
        2   | cancelled stop_loss
        4   | sell 2 @ 120 maker take_profit
        end | cash 1040
        """,
    ),
    story(
        "taking profit in two steps by orders that only reduce",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 4 stop_loss 0.1
        2   | 100  101  99  100   | sell 2 limit 110 reduce_only; sell 2 limit 120 reduce_only as rest
        3   | 100  115  99  110   |
        4   | 110  111  89  90    |
        --
        2   | buy 4 @ 100
        3   | sell 2 @ 110 maker
        4   | sell 2 @ 90 stop_loss
        4   | cancelled rest position_closed
        end | cash 1000
        """,
    ),
    story(
        "an order that only reduces outlasts a turn to the side that it reduces",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2; buy 2 limit 90 reduce_only
        2   | 100  100  95  100   | sell 5
        3   | 100  100  95  100   |
        4   | 100  100  89  95    |
        --
        2   | buy 2 @ 100
        3   | sell 5 @ 100
        4   | buy 2 @ 90 maker
        end | cash 1120 position -1
        """,
        allow_short=True,
    ),
    story(
        "two ways that are worth the same but leave different positions diverge all the same",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2 limit 95 take_profit_price 98
        2   | 100  101  94  98    |
        --
        2   | buy 2 @ 95 maker
        2   | ambiguous 1006 1006 diverges
        end | cash 810 position 2
        """,
    ),
    story(
        "a trailing stop that is put around a losing position follows from the last price",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | buy 2
        2   | 100  100  80  80    | protect trailing_stop 0.1
        3   | 82   90   82  90    |
        4   | 90   90   80  80    |
        --
        2   | buy 2 @ 100
        4   | sell 2 @ 81 trailing_stop
        end | cash 962
        """,
    ),
]


@every_way(STORIES)
def test_brackets(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
