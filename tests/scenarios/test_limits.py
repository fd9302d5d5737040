"""Risk limits in tables: what our own limits keep back, and that they never keep anyone in a trade."""

from __future__ import annotations

import pytest

from algotrade.engine.risk import Limits
from tests.scenarios.machines import BY_EVENTS, Machine, event_loop_with_known_targets, told_alike
from tests.scenarios.table import Scenario, scenario

SCENARIOS = [
    scenario(
        "an order above the largest notional is denied, and not tried again until the target changes",
        """
        day | open high low close | asks       | happens                   | equity
        1   | 100  100  100 100   | target 1   | denied max_order_notional | 1000
        2   | 100  100  40  40    | target 1   |                           | 1000
        3   | 100  100  100 100   | target 0.5 |                           | 1000
        4   | 100  100  100 100   |            | buy 5 @ 100               | 1000
        """,
        limits=Limits(max_order_notional=500),
    ),
    scenario(
        "closing passes, however large the order",
        """
        day | open high low close | asks       | happens       | equity
        1   | 100  100  100 100   | target 0.5 |               | 1000
        2   | 100  100  100 100   | target 1   | buy 5 @ 100   | 1000
        3   | 100  900  100 900   | target 0.4 | buy 5 @ 100   | 9000
        4   | 900  900  900 900   | target 0   | sell 6 @ 900  | 9000
        5   | 900  900  900 900   |            | sell 4 @ 900  | 9000
        """,
        limits=Limits(max_order_notional=500),
    ),
    scenario(
        "turning a position round is no mere reduction",
        """
        day | open high low close | asks        | happens                   | equity
        1   | 100  100  100 100   | target 0.5  |                           | 1000
        2   | 100  100  100 100   | target -0.5 | buy 5 @ 100; denied max_order_notional | 1000
        3   | 100  100  100 100   | target 0    |                           | 1000
        4   | 100  100  100 100   |             | sell 5 @ 100              | 1000
        """,
        limits=Limits(max_order_notional=500),
        allow_short=True,
    ),
    scenario(
        "a position is held to its largest notional, long and short",
        """
        day | open high low close | asks         | happens                                    | equity
        1   | 100  100  100 100   | target 0.6   |                                            | 1000
        2   | 100  100  100 100   | target 0.7   | buy 6 @ 100; denied max_position_notional  | 1000
        3   | 100  100  100 100   | target -0.7  | denied max_position_notional               | 1000
        4   | 100  100  100 100   | target -0.6  |                                            | 1000
        5   | 100  100  100 100   |              | sell 12 @ 100                              | 1000
        """,
        limits=Limits(max_position_notional=600),
        allow_short=True,
    ),
    scenario(
        "orders that still work count into the position",
        """
        day | open high low close | asks                                   | happens                      | equity
        1   | 100  100  100 100   | buy for 400; buy for 400; buy for 200  | denied max_position_notional | 1000
        2   | 100  100  100 100   |                                        | buy 4 @ 100; buy 2 @ 100     | 1000
        """,
        limits=Limits(max_position_notional=600),
    ),
    scenario(
        "a target that is replaced does not count into the position",
        """
        day | open high low close | asks                                | happens                      | equity
        1   | 100  100  100 100   | target 0.6; target 0.5; target 0.8  | denied max_position_notional | 1000
        2   | 100  100  100 100   | target 0.8                          |                              | 1000
        3   | 100  100  100 100   |                                     |                              | 1000
        """,
        limits=Limits(max_position_notional=600),
    ),
    scenario(
        "a target that replaces another is measured from the position, not from what it replaces",
        """
        day | open high low close | asks                   | happens                   | equity
        1   | 100  100  100 100   | target 0.5; target 0.8 | denied max_order_notional | 1000
        2   | 100  100  100 100   |                        |                           | 1000
        """,
        limits=Limits(max_order_notional=500),
    ),
    scenario(
        "so many orders in a UTC day; the next day starts anew; reductions pass and count",
        """
        day     | open high low close | asks   | happens                                | equity
        1 00:00 | 100  100  100 100   | buy 1  |                                        | 1000
        1 06:00 | 100  100  100 100   | buy 1  | buy 1 @ 100                            | 1000
        1 12:00 | 100  100  100 100   | buy 1  | buy 1 @ 100; denied max_orders_per_day | 1000
        1 18:00 | 100  100  100 100   | sell 2 |                                        | 1000
        2 00:00 | 100  100  100 100   | buy 1  | sell 2 @ 100                           | 1000
        2 06:00 | 100  100  100 100   | sell 1 | buy 1 @ 100                            | 1000
        2 12:00 | 100  100  100 100   | buy 1  | sell 1 @ 100; denied max_orders_per_day | 1000
        """,
        limits=Limits(max_orders_per_day=2),
    ),
    scenario(
        "after the day's largest loss only reductions pass, until the UTC day ends",
        """
        day     | open high low close | asks       | happens                              | equity
        1 00:00 | 100  100  100 100   | target 0.5 |                                      | 1000
        1 06:00 | 100  100  100 100   |            | buy 5 @ 100                          | 1000
        1 12:00 | 100  100  80  80    | target 0.8 | denied max_daily_loss                | 900
        1 18:00 | 80   80   80  80    | target 0.1 |                                      | 900
        2 00:00 | 90   90   90  90    | target 0.5 | sell 3.944444444444 @ 90             | 950
        2 06:00 | 90   90   90  90    |            | buy 4.222222222222 @ 90              | 950
        """,
        limits=Limits(max_daily_loss=100),
    ),
    scenario(
        "the day's loss counts from the last equity of the day before, so that bars of a day have one too",
        """
        day | open high low close | asks       | happens                             | equity
        1   | 100  100  100 100   | target 0.5 |                                     | 1000
        2   | 100  100  80  80    | target 1   | buy 5 @ 100; denied max_daily_loss  | 900
        3   | 80   80   80  80    | target 0.9 |                                     | 900
        4   | 80   80   80  80    |            | buy 5.125 @ 80                      | 900
        """,
        limits=Limits(max_daily_loss=100),
    ),
]


@pytest.mark.parametrize("run", BY_EVENTS, ids=lambda machine: machine.__name__)
@pytest.mark.parametrize("case", SCENARIOS, ids=lambda case: case.title)
def test_limits(case: Scenario, run: Machine) -> None:
    told_alike(run(case), case.expected)


def test_limits_hold_for_known_targets_too() -> None:
    told_alike(event_loop_with_known_targets(SCENARIOS[0]), SCENARIOS[0].expected)
