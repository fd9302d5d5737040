from __future__ import annotations

from itertools import product

import pytest

from algotrade.engine.orders import DONE, TRANSITIONS, WORKING, ImpossibleTransition, Status, next_status, order_id

HAPPENINGS = ("accepted", "rejected", "cancelled", "partially_filled", "filled")
TABLE = """
                  accepted  rejected  cancelled  partially_filled  filled
submitted         accepted  rejected  cancelled  partially_filled  filled
accepted          -         rejected  cancelled  partially_filled  filled
partially_filled  -         -         cancelled  partially_filled  filled
filled            -         -         -          -                 -
rejected          -         -         -          -                 -
cancelled         -         -         -          -                 -
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = {(row[0], happened): cell for row in ROWS[1:] for happened, cell in zip(ROWS[0], row[1:], strict=True)}


def test_the_table_covers_every_status_and_every_happening() -> None:
    assert set(CELLS) == set(product(map(str, Status), HAPPENINGS))
    assert {happened for _, happened in TRANSITIONS} == set(HAPPENINGS)


@pytest.mark.parametrize(("status", "happened"), CELLS)
def test_an_order_moves_as_the_table_says_or_not_at_all(status: str, happened: str) -> None:
    expected = CELLS[status, happened]
    if expected == "-":
        with pytest.raises(ImpossibleTransition, match=f"{status} cannot be {happened}"):
            next_status(Status(status), happened)
    else:
        assert next_status(Status(status), happened) == expected


def test_an_order_is_either_working_or_done() -> None:
    assert set(Status) == WORKING | DONE
    assert not WORKING & DONE


def test_nothing_happens_to_an_order_that_is_done() -> None:
    assert not {status for status, _ in TRANSITIONS} & DONE


def test_an_id_tells_the_symbol_the_time_and_the_number() -> None:
    assert order_id("BTC/USD", 1_700_000_000_000, 3) == "BTC/USD@1700000000000#3"
