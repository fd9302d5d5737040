"""Orders of a fixed size, cancels, and several orders in one bar, in tables."""

from __future__ import annotations

import pytest

from tests.scenarios.machines import BY_EVENTS, Machine, told_alike
from tests.scenarios.table import Scenario, scenario

SCENARIOS = [
    scenario(
        "buy a quantity",
        """
        day | open high low close | asks  | happens             | equity
        1   | 100  100  100 100   | buy 2 |                     | 1000
        2   | 100  150  100 150   |       | buy 2 @ 100 fee 50  | 1050
        """,
        fee=0.25,
    ),
    scenario(
        "buy for an amount of money: the fee comes on top",
        """
        day | open high low close | asks        | happens             | equity
        1   | 80   80   80  80    | buy for 500 |                     | 1000
        2   | 80   100  80  100   |             | buy 5 @ 100 fee 125 | 875
        """,
        fee=0.25,
        slippage=0.25,
    ),
    scenario(
        "sell a quantity, then for an amount of money",
        """
        day | open high low close | asks         | happens        | equity
        1   | 100  100  100 100   | buy 10       |                | 1000
        2   | 100  100  100 100   | sell 4       | buy 10 @ 100   | 1000
        3   | 200  200  200 200   | sell for 500 | sell 4 @ 200   | 2000
        4   | 250  250  250 250   |              | sell 2 @ 250   | 2300
        """,
    ),
    scenario(
        "an order asked for on the last bar stays unfilled",
        """
        day | open high low close | asks  | happens | equity
        1   | 100  100  100 100   |       |         | 1000
        2   | 100  100  100 100   | buy 1 |         | 1000
        """,
    ),
    scenario(
        "an order waits for the first open after a gap",
        """
        day | open high low close | asks  | happens     | equity
        1   | 100  100  100 100   | buy 1 |             | 1000
        30  | 400  500  400 500   |       | buy 1 @ 400 | 1100
        """,
    ),
    scenario(
        "nobody sells more than is held on a spot market",
        """
        day | open high low close | asks   | happens                  | equity
        1   | 100  100  100 100   | buy 2  |                          | 1000
        2   | 100  100  100 100   | sell 3 | buy 2 @ 100              | 1000
        3   | 200  200  200 200   | sell 2 | refused nothing_to_sell  | 1200
        4   | 300  300  300 300   |        | sell 2 @ 300             | 1400
        """,
    ),
    scenario(
        "where shorts are allowed, selling more than is held opens one",
        """
        day | open high low close | asks   | happens      | equity
        1   | 100  100  100 100   | buy 2  |              | 1000
        2   | 100  100  100 100   | sell 3 | buy 2 @ 100  | 1000
        3   | 200  200  150 150   |        | sell 3 @ 200 | 1250
        """,
        allow_short=True,
    ),
    scenario(
        "an order for more money than there is gets refused, and is not sent again",
        """
        day | open high low close | asks   | happens                    | equity
        1   | 100  100  100 100   | buy 11 |                            | 1000
        2   | 100  100  50  50    |        | refused insufficient_funds | 1000
        3   | 50   50   50  50    |        |                            | 1000
        """,
    ),
    scenario(
        "the fee counts: all the money buys nothing when the fee is not left over",
        """
        day | open high low close | asks         | happens                     | equity
        1   | 100  100  100 100   | buy for 1000 |                             | 1000
        2   | 100  100  100 100   | buy for 800  | refused insufficient_funds  | 1000
        3   | 100  100  100 100   |              | buy 8 @ 100 fee 200         | 800
        """,
        fee=0.25,
    ),
    scenario(
        "an open that jumps up can make an order unaffordable",
        """
        day | open high low close | asks   | happens                    | equity
        1   | 100  100  100 100   | buy 10 |                            | 1000
        2   | 101  101  101 101   |        | refused insufficient_funds | 1000
        """,
    ),
    scenario(
        "two orders in one bar both fill",
        """
        day | open high low close | asks         | happens                  | equity
        1   | 100  100  100 100   | buy 2; buy 3 |                          | 1000
        2   | 100  110  100 110   |              | buy 2 @ 100; buy 3 @ 100 | 1050
        """,
    ),
    scenario(
        "of two orders in one bar the second gets what the first has left",
        """
        day | open high low close | asks         | happens                                 | equity
        1   | 100  100  100 100   | buy 6; buy 6 |                                         | 1000
        2   | 100  110  100 110   |              | buy 6 @ 100; refused insufficient_funds | 1060
        """,
    ),
    scenario(
        "a buy and a sell in one bar fill in the order in which they were asked for",
        """
        day | open high low close | asks          | happens                   | equity
        1   | 100  100  100 100   | buy 2; sell 2 |                           | 1000
        2   | 100  100  100 100   |               | buy 2 @ 100; sell 2 @ 100 | 1000
        """,
    ),
    scenario(
        "a cancelled order does not fill",
        """
        day | open high low close | asks            | happens | equity
        1   | 100  100  100 100   | buy 2; cancel 1 |         | 1000
        2   | 100  200  100 200   |                 |         | 1000
        """,
    ),
    scenario(
        "cancelling the second of two orders leaves the first",
        """
        day | open high low close | asks                   | happens     | equity
        1   | 100  100  100 100   | buy 2; buy 3; cancel 2 |             | 1000
        2   | 100  200  100 200   |                        | buy 2 @ 100 | 1200
        """,
    ),
    scenario(
        "cancelling what is filled, or never was, does nothing",
        """
        day | open high low close | asks               | happens     | equity
        1   | 100  100  100 100   | buy 2              |             | 1000
        2   | 100  200  100 200   | cancel 1; cancel 9 | buy 2 @ 100 | 1200
        3   | 200  200  200 200   |                    |             | 1200
        """,
    ),
    scenario(
        "a fixed size is rounded down to legal steps, and refused below the minimum",
        """
        day | open high low close | asks    | happens                    | equity
        1   | 100  100  100 100   | buy 2.7 |                            | 1000
        2   | 100  100  100 100   | buy 1.9 | buy 2.5 @ 100              | 1000
        3   | 100  100  100 100   | buy 0.4 | refused below_min_quantity | 1000
        4   | 100  100  100 100   |         | refused nothing_to_trade   | 1000
        """,
        quantity_step=0.5,
        min_quantity=2,
    ),
    scenario(
        "a target tops up what was bought by hand",
        """
        day | open high low close | asks     | happens     | equity
        1   | 100  100  100 100   | buy 2    |             | 1000
        2   | 100  100  100 100   | target 1 | buy 2 @ 100 | 1000
        3   | 100  100  100 100   |          | buy 8 @ 100 | 1000
        """,
    ),
    scenario(
        "a target that is in force does not undo what was sold by hand",
        """
        day | open high low close | asks     | happens       | equity
        1   | 100  100  100 100   | target 1 |               | 1000
        2   | 100  100  100 100   | sell 10  | buy 10 @ 100  | 1000
        3   | 100  100  100 100   | target 1 | sell 10 @ 100 | 1000
        4   | 100  100  100 100   |          |               | 1000
        """,
    ),
    scenario(
        "a second target in the same bar replaces the first",
        """
        day | open high low close | asks                 | happens     | equity
        1   | 100  100  100 100   | target 1; target 0.5 |             | 1000
        2   | 100  100  100 100   |                      | buy 5 @ 100 | 1000
        """,
    ),
    scenario(
        "the same target twice in one bar is one order",
        """
        day | open high low close | asks               | happens      | equity
        1   | 100  100  100 100   | target 1; target 1 |              | 1000
        2   | 100  100  100 100   |                    | buy 10 @ 100 | 1000
        """,
    ),
    scenario(
        "a target whose order was cancelled is repaired when it is asked for again",
        """
        day | open high low close | asks               | happens      | equity
        1   | 100  100  100 100   | target 1; cancel 1 |              | 1000
        2   | 100  100  50  50    | target 1           |              | 1000
        3   | 50   60   50  60    | target 1           | buy 20 @ 50  | 1200
        4   | 60   60   60  60    |                    |              | 1200
        """,
    ),
]


@pytest.mark.parametrize("run", BY_EVENTS, ids=lambda machine: machine.__name__)
@pytest.mark.parametrize("case", SCENARIOS, ids=lambda case: case.title)
def test_orders(case: Scenario, run: Machine) -> None:
    told_alike(run(case), case.expected)
