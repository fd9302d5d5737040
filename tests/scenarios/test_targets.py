"""Targets in tables: what a change of target trades, at which price, and what the account is worth afterwards."""

from __future__ import annotations

import pytest

from tests.scenarios.machines import BY_TARGETS, Machine, told_alike
from tests.scenarios.table import Scenario, scenario

SCENARIOS = [
    scenario(
        "an entry buys with everything at the next open",
        """
        day | open high low close | asks     | happens      | equity
        1   | 100  105  95  100   | target 1 |              | 1000
        2   | 100  125  90  120   |          | buy 10 @ 100 | 1200
        """,
    ),
    scenario(
        "an exit sells everything at the next open, whatever the close was",
        """
        day | open high low close | asks     | happens       | equity
        1   | 100  100  100 100   | target 1 |               | 1000
        2   | 100  110  100 110   | target 0 | buy 10 @ 100  | 1100
        3   | 120  120  90  90    |          | sell 10 @ 120 | 1200
        4   | 50   50   50  50    |          |               | 1200
        """,
    ),
    scenario(
        "an entry that is taken back at the next close is held for one bar",
        """
        day | open high low close | asks     | happens      | equity
        1   | 100  100  100 100   | target 1 |              | 1000
        2   | 100  100  80  80    | target 0 | buy 10 @ 100 | 800
        3   | 70   70   70  70    |          | sell 10 @ 70 | 700
        """,
    ),
    scenario(
        "a decision before the first value is to stay flat",
        """
        day | open high low close | asks     | happens     | equity
        1   | 100  100  100 100   |          |             | 1000
        2   | 100  100  80  80    |          |             | 1000
        3   | 70   70   50  50    | target 1 |             | 1000
        4   | 50   60   50  60    |          | buy 20 @ 50 | 1200
        """,
    ),
    scenario(
        "a first value of zero is no order",
        """
        day | open high low close | asks     | happens | equity
        1   | 100  100  100 100   |          |         | 1000
        2   | 100  100  80  80    | target 0 |         | 1000
        3   | 70   70   50  50    |          |         | 1000
        """,
    ),
    scenario(
        "a signal on the last bar stays unfilled",
        """
        day | open high low close | asks     | happens | equity
        1   | 100  100  100 100   |          |         | 1000
        2   | 100  100  100 100   | target 1 |         | 1000
        """,
    ),
    scenario(
        "an order waits for the first open after a gap",
        """
        day | open high low close | asks     | happens     | equity
        1   | 100  100  100 100   | target 1 |             | 1000
        9   | 40   50   40  50    | target 0 | buy 25 @ 40 | 1250
        20  | 60   60   60  60    |          | sell 25 @ 60 | 1500
        """,
    ),
    scenario(
        "adding buys the difference: half, then all",
        """
        day | open high low close | asks       | happens     | equity
        1   | 100  100  100 100   | target 0.5 |             | 1000
        2   | 100  200  100 200   | target 1   | buy 5 @ 100 | 1500
        3   | 250  250  250 250   |            | buy 2 @ 250 | 1750
        """,
    ),
    scenario(
        "reducing sells the difference: all, then half",
        """
        day | open high low close | asks       | happens      | equity
        1   | 100  100  100 100   | target 1   |              | 1000
        2   | 100  200  100 200   | target 0.5 | buy 10 @ 100 | 2000
        3   | 200  200  200 200   |            | sell 5 @ 200 | 2000
        """,
    ),
    scenario(
        "reducing after a fall keeps a share of what is left",
        """
        day | open high low close | asks        | happens       | equity
        1   | 100  100  100 100   | target 1    |               | 1000
        2   | 100  100  80  80    | target 0.25 | buy 10 @ 100  | 800
        3   | 80   80   80  80    |             | sell 7.5 @ 80 | 800
        """,
    ),
    scenario(
        "the same target does nothing while prices drift",
        """
        day | open high low close | asks       | happens     | equity
        1   | 100  100  100 100   | target 0.5 |             | 1000
        2   | 100  300  100 300   | target 0.5 | buy 5 @ 100 | 2000
        3   | 300  300  300 300   | target 0.5 |             | 2000
        4   | 100  100  10  10    | target 0.5 |             | 550
        """,
    ),
    scenario(
        "a higher target sells where drift has carried the position above it",
        """
        day | open high low close | asks       | happens      | equity
        1   | 100  100  100 100   | target 0.5 |              | 1000
        2   | 100  300  100 300   | target 0.6 | buy 5 @ 100  | 2000
        3   | 300  300  300 300   |            | sell 1 @ 300 | 2000
        """,
    ),
    scenario(
        "a new target that drift has reached already trades nothing",
        """
        day | open high low close | asks        | happens                  | equity
        1   | 100  100  100 100   | target 0.5  |                          | 1000
        2   | 100  300  100 300   | target 0.75 | buy 5 @ 100              | 2000
        3   | 300  300  300 300   |             | refused nothing_to_trade | 2000
        """,
    ),
    scenario(
        "slippage makes both sides worse",
        """
        day | open high low close | asks     | happens      | equity
        1   | 80   80   80  80    | target 1 |              | 1000
        2   | 80   80   80  80    | target 0 | buy 10 @ 100 | 800
        3   | 80   80   80  80    |          | sell 10 @ 60 | 600
        """,
        slippage=0.25,
    ),
    scenario(
        "a reduction counts its equity at the slipped price",
        """
        day | open high low close | asks       | happens      | equity
        1   | 80   80   80  80    | target 1   |              | 1000
        2   | 80   80   80  80    | target 0.5 | buy 10 @ 100 | 800
        3   | 80   80   60  60    |            | sell 5 @ 60  | 600
        """,
        slippage=0.25,
    ),
    scenario(
        "slippage can eat a small increase",
        """
        day | open high low close | asks        | happens                  | equity
        1   | 80   80   80  80    | target 0.5  |                          | 1000
        2   | 80   80   80  80    | target 0.51 | buy 5 @ 100              | 900
        3   | 100  100  100 100   | target 0.51 | refused nothing_to_trade | 1000
        """,
        slippage=0.25,
    ),
    scenario(
        "the fee is paid on both sides and comes out of the same cash",
        """
        day | open high low close | asks     | happens               | equity
        1   | 100  100  100 100   | target 1 |                       | 1250
        2   | 100  120  100 120   | target 0 | buy 10 @ 100 fee 250  | 1200
        3   | 120  120  120 120   |          | sell 10 @ 120 fee 300 | 900
        """,
        cash=1_250,
        fee=0.25,
    ),
    scenario(
        "the fee is charged on the slipped price",
        """
        day | open high low close | asks     | happens              | equity
        1   | 80   80   80  80    | target 1 |                      | 1250
        2   | 80   80   80  80    | target 0 | buy 10 @ 100 fee 250 | 800
        3   | 80   80   80  80    |          | sell 10 @ 60 fee 150 | 450
        """,
        cash=1_250,
        fee=0.25,
        slippage=0.25,
    ),
    scenario(
        "a position open at the end is marked and pays no exit fee",
        """
        day | open high low close | asks     | happens              | equity
        1   | 100  100  100 100   | target 1 |                      | 1250
        2   | 100  100  100 100   |          | buy 10 @ 100 fee 250 | 1000
        3   | 150  150  150 150   |          |                      | 1500
        """,
        cash=1_250,
        fee=0.25,
    ),
    scenario(
        "a quantity is rounded down to whole steps",
        """
        day | open high low close | asks     | happens     | equity
        1   | 300  300  300 300   | target 1 |             | 1000
        2   | 300  310  300 310   |          | buy 3 @ 300 | 1030
        """,
        quantity_step=1,
    ),
    scenario(
        "three steps of 0.1 are 0.3, in spite of binary fractions",
        """
        day | open high low close | asks       | happens       | equity
        1   | 1000 1000 1000 1000 | target 0.3 |               | 1000
        2   | 1000 1000 1000 1000 |            | buy 0.3 @ 1000 | 1000
        """,
        quantity_step=0.1,
    ),
    scenario(
        "what a reduction sells is rounded down too; a close takes everything",
        """
        day | open high low close | asks       | happens      | equity
        1   | 300  300  300 300   | target 1   |              | 1000
        2   | 300  300  300 300   | target 0.5 | buy 3 @ 300  | 1000
        3   | 300  300  300 300   | target 0   | sell 1 @ 300 | 1000
        4   | 300  300  300 300   |            | sell 2 @ 300 | 1000
        """,
        quantity_step=1,
    ),
    scenario(
        "an order below the smallest quantity is refused, and not sent again until the target changes",
        """
        day | open high low close | asks     | happens                    | equity
        1   | 100  100  100 100   | target 1 |                            | 100
        2   | 100  100  10  10    | target 1 | refused below_min_quantity | 100
        3   | 10   10   10  10    | target 0 |                            | 100
        4   | 10   10   10  10    | target 1 | refused nothing_to_trade   | 100
        5   | 10   20   10  20    |          | buy 10 @ 10                | 200
        """,
        cash=100,
        min_quantity=2,
    ),
    scenario(
        "an order below the smallest notional is refused, and not sent again until the target changes",
        """
        day | open high low close | asks       | happens                    | equity
        1   | 100  100  100 100   | target 0.4 |                            | 100
        2   | 100  100  100 100   | target 0.4 | refused below_min_notional | 100
        3   | 100  100  100 100   | target 0.5 |                            | 100
        4   | 100  100  100 100   |            | buy 0.5 @ 100              | 100
        """,
        cash=100,
        min_notional=50,
    ),
    scenario(
        "an order of exactly the minimum is taken",
        """
        day | open high low close | asks     | happens      | equity
        1   | 100  100  100 100   | target 1 |              | 1000
        2   | 100  100  100 100   |          | buy 10 @ 100 | 1000
        """,
        min_quantity=10,
        min_notional=1_000,
    ),
    scenario(
        "a close below the minimum is refused too, and the position stays",
        """
        day | open high low close | asks     | happens                    | equity
        1   | 100  100  100 100   | target 1 |                            | 100
        2   | 100  100  40  40    | target 0 | buy 1 @ 100                | 40
        3   | 40   60   40  60    |          | refused below_min_notional | 60
        """,
        cash=100,
        min_notional=50,
    ),
    scenario(
        "a short sells what it does not have, and buys it back",
        """
        day | open high low close | asks      | happens               | equity
        1   | 100  100  100 100   | target -1 |                       | 1250
        2   | 100  100  80  80    | target 0  | sell 10 @ 100 fee 250 | 1200
        3   | 80   80   80  80    |           | buy 10 @ 80 fee 200   | 1000
        """,
        cash=1_250,
        fee=0.25,
        allow_short=True,
    ),
    scenario(
        "adding to a short sells the difference",
        """
        day | open high low close | asks        | happens      | equity
        1   | 100  100  100 100   | target -0.5 |              | 1000
        2   | 100  100  50  50    | target -1   | sell 5 @ 100 | 1250
        3   | 50   50   40  40    |             | sell 20 @ 50 | 1500
        """,
        allow_short=True,
    ),
    scenario(
        "reducing a short buys the difference",
        """
        day | open high low close | asks        | happens       | equity
        1   | 100  100  100 100   | target -1   |               | 1000
        2   | 100  125  100 125   | target -0.5 | sell 10 @ 100 | 750
        3   | 125  125  125 125   |             | buy 7 @ 125   | 750
        """,
        allow_short=True,
    ),
    scenario(
        "from long to short in one order: close, then open with what is left",
        """
        day | open high low close | asks      | happens       | equity
        1   | 100  100  100 100   | target 1  |               | 1000
        2   | 100  110  100 110   | target -1 | buy 10 @ 100  | 1100
        3   | 110  110  100 100   |           | sell 20 @ 110 | 1200
        """,
        allow_short=True,
    ),
    scenario(
        "from short to long in one order",
        """
        day | open high low close | asks      | happens       | equity
        1   | 100  100  100 100   | target -1 |               | 1000
        2   | 100  100  85  85    | target 1  | sell 10 @ 100 | 1150
        3   | 80   90   80  90    |           | buy 25 @ 80   | 1350
        """,
        allow_short=True,
    ),
    scenario(
        "crossing zero pays the fee of the close before it opens",
        """
        day | open high low close | asks      | happens               | equity
        1   | 100  100  100 100   | target 1  |                       | 1250
        2   | 100  100  100 100   | target -1 | buy 10 @ 100 fee 250  | 1000
        3   | 100  100  100 100   |           | sell 16 @ 100 fee 400 | 600
        """,
        cash=1_250,
        fee=0.25,
        allow_short=True,
    ),
    scenario(
        "crossing zero rounds down only what it opens",
        """
        day | open high low close | asks      | happens      | equity
        1   | 300  300  300 300   | target 1  |              | 1000
        2   | 300  310  300 310   | target -1 | buy 3 @ 300  | 1030
        3   | 310  310  310 310   |           | sell 6 @ 310 | 1030
        """,
        quantity_step=1,
        allow_short=True,
    ),
    scenario(
        "leverage borrows cash",
        """
        day | open high low close | asks     | happens               | equity
        1   | 100  100  100 100   | target 2 |                       | 1000
        2   | 100  110  100 110   |          | buy 16 @ 100 fee 400  | 760
        """,
        fee=0.25,
        leverage=2,
    ),
]


@pytest.mark.parametrize("run", BY_TARGETS, ids=lambda machine: machine.__name__)
@pytest.mark.parametrize("case", SCENARIOS, ids=lambda case: case.title)
def test_targets(case: Scenario, run: Machine) -> None:
    told_alike(run(case), case.expected)
