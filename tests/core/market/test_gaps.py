"""What is said about holes, beyond the pictures of tests/scenarios/test_gaps.py: evidence, files, closing times."""

import time

import numpy as np
import pytest

from algotrade.market.candles import Times
from algotrade.market.gap_pieces import KINDS, NOT_DOWNLOADED
from algotrade.market.gaps import Known, Outage, neighbour, type_gaps
from algotrade.market.silence import Spans, holes_of

HOUR, DAY = 3_600_000, 86_400_000
START = 1_704_067_200_000  # 2024-01-01, a Monday
ALWAYS = [(START, START + 10_000 * HOUR)]


def hours(*, but: set[int] = frozenset(), count: int = 1_200) -> Times:
    return START + HOUR * np.array([hour for hour in range(count) if hour not in but], np.int64)


def evidence(times: Times, known: Known) -> list[tuple[int, int, str, str]]:
    return [
        ((gap.start - START) // HOUR, gap.bars, gap.kind, gap.evidence) for gap in type_gaps(times, "1h", known).rows()
    ]


# ---- holes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("bars", "holes"),
    [
        ([], []),
        ([0], []),
        ([0, 1, 2], []),
        ([0, 2], [(1, 2, 1)]),
        ([0, 1, 5, 6, 8], [(2, 5, 3), (7, 8, 1)]),
        ([0, 2.5], [(1, 3, 2)]),  # a bar off the grid hides no hole
    ],
)
def test_a_hole_reaches_from_its_first_missing_bar_to_the_close_of_its_last(
    bars: list[float], holes: list[tuple[int, int, int]]
) -> None:
    found = holes_of((START + HOUR * np.array(bars)).astype(np.int64), HOUR)

    starts, ends = ((edge - START) // HOUR for edge in found.spans)
    assert list(zip(starts.tolist(), ends.tolist(), found.bars.tolist(), strict=True)) == holes


# ---- evidence --------------------------------------------------------------------------------------------------------
def test_every_kind_says_on_what_evidence() -> None:
    times = hours(but={*range(600, 605), 700, 800, 900, 1000})
    known = Known(
        "kraken",
        [(START, START + 1000 * HOUR)],
        refused={START + 800 * HOUR: "high is below low"},
        outages=[Outage(START + 900 * HOUR + 1, START + 902 * HOUR, "kraken said: maintenance")],
    )

    assert evidence(times, known) == [
        (600, 5, "exchange down", "likely: 996 of 998 bars around it have trades"),
        (700, 1, "no trades", "kraken has no bar there"),
        (800, 1, "quarantined", "high is below low"),
        (900, 1, "no trades", "kraken has no bar there"),
        (1000, 1, "not downloaded", "nobody has asked for it"),
    ]


def test_an_outage_that_has_not_ended_lasts() -> None:
    known = Known("kraken", ALWAYS, outages=[Outage(START + 599 * HOUR, None, "kraken said: maintenance")])

    assert evidence(hours(but={600, 900}), known) == [
        (600, 1, "exchange down", "kraken said: maintenance"),
        (900, 1, "exchange down", "kraken said: maintenance"),
    ]


def test_silent_neighbours_are_named() -> None:
    times = hours(but={600, 700})
    eth, sol = (neighbour(name, times, "1h", ALWAYS) for name in ("ETH/USD", "SOL/USD"))
    ltc = neighbour("LTC/USD", hours(but={600}), "1h", ALWAYS)

    assert [said for *_, said in evidence(times, Known("kraken", ALWAYS, neighbours=[eth, ltc]))] == [
        "there is no bar of ETH/USD and LTC/USD either",
        "there are bars of LTC/USD: the exchange was up",
    ]
    assert evidence(times, Known("kraken", ALWAYS, neighbours=[eth, sol, ltc]))[0][3] == (
        "there is no bar of ETH/USD, SOL/USD and LTC/USD either"
    )


def test_an_exchange_that_others_traded_on_was_up() -> None:
    others = [neighbour("ETH/USD", hours(), "1h", ALWAYS)]

    assert evidence(hours(but=set(range(600, 610))), Known("kraken", ALWAYS, neighbours=others)) == [
        (600, 10, "no trades", "there are bars of ETH/USD: the exchange was up")
    ]


def test_a_neighbour_that_was_not_asked_about_the_hole_says_nothing() -> None:
    half_asked = [(START, START + 600 * HOUR), (START + 601 * HOUR, START + 9_000 * HOUR)]
    others = [neighbour("ETH/USD", hours(but={600}), "1h", half_asked)]

    assert evidence(hours(but={600}), Known("kraken", ALWAYS, neighbours=others))[0][2] == "no trades"


# ---- files -----------------------------------------------------------------------------------------------------------
def test_a_file_is_not_believed_about_a_silence_that_is_no_accident() -> None:
    assert evidence(hours(but={600, *range(700, 720)}), Known("the file")) == [
        (600, 1, "no trades", "the file has no bar there; whether anything traded is not known"),
        (
            700,
            20,
            "not downloaded",
            "the file has no bar there, yet 979 of 980 bars around it have trades:"
            " the exchange was down, or the file is not whole",
        ),
    ]


def test_a_file_that_lacks_what_another_has_is_not_whole() -> None:
    lost = set(range(600, 610))
    eth, sol = neighbour("ETH/USD", hours(but=lost), "1h", None), neighbour("SOL/USD", hours(), "1h", None)

    assert type_gaps(hours(but=lost), "1h", Known("the file", neighbours=[eth])).counts == {"exchange down": 10}
    assert type_gaps(hours(but=lost), "1h", Known("the file", neighbours=[eth, sol])).counts == {"not downloaded": 10}


def test_markets_that_close_at_weekends_have_no_trades_then() -> None:
    weekends = {hour for hour in range(8 * 168) if hour % 168 >= 5 * 24}

    gaps = type_gaps(hours(but=weekends, count=8 * 168 - 48), "1h", Known("the file"))

    assert gaps.counts == {"no trades": 7 * 48}
    assert {gap.evidence for gap in gaps.rows()} == {
        "closed: it has no bar at this time a week before and after either"
    }


def test_a_hole_of_weeks_does_not_pass_for_a_closing_time() -> None:
    gaps = type_gaps(hours(but=set(range(600, 600 + 5 * 168)), count=2_000), "1h", Known("the file"))

    assert gaps.counts == {"not downloaded": 5 * 168}


# ---- shapes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("times", [[], [START], [START, START + HOUR]])
def test_no_hole_no_gap(times: list[int]) -> None:
    gaps = type_gaps(np.array(times, np.int64), "1h", Known("kraken", []))

    assert (gaps.rows(), gaps.counts) == ([], {})


def test_bars_off_the_grid_count_from_the_bar_before() -> None:
    times = START + HOUR * np.array([0, 1, 4, 5]) + np.array([0, 0, HOUR // 2, HOUR // 2])

    assert [(gap.start, gap.end, gap.bars) for gap in type_gaps(times, "1h", Known("the file")).rows()] == [
        (START + 2 * HOUR, START + 4 * HOUR, 3)
    ]


def test_a_refused_candle_off_the_grid_stands_for_the_bar_it_falls_in() -> None:
    known = Known("kraken", ALWAYS, refused={START + 600 * HOUR + 1: "it has no open"})

    assert evidence(hours(but={600}), known) == [(600, 1, "quarantined", "it has no open")]


def test_the_foremost_come_in_order_of_time_and_kinds_can_be_chosen() -> None:
    gaps = type_gaps(hours(but={600, 700, 701, 800, 801, 802}), "1h", Known("kraken", []))

    assert [gap.bars for gap in gaps.foremost(2).rows()] == [2, 3]
    assert len(gaps.of_kinds([NOT_DOWNLOADED]).bars) == 3
    assert not len(gaps.of_kinds([kind for kind in KINDS if kind != NOT_DOWNLOADED]).bars)


def test_what_is_more_than_no_trades_goes_before_what_is_longer() -> None:
    gaps = type_gaps(
        hours(but={500, 700, 701}), "1h", Known("kraken", ALWAYS, {START + 500 * HOUR: "high is below low"})
    )

    assert [gap.kind for gap in gaps.foremost(1).rows()] == ["quarantined"]
    assert [gap.kind for gap in gaps.foremost(2).rows()] == ["quarantined", "no trades"]


def test_spans_are_joined_whatever_their_order() -> None:
    spans = Spans.of([(5, 9), (1, 3), (3, 4), (6, 7), (8, 8)])

    assert [column.tolist() for column in spans] == [[1, 5], [4, 9]]
    assert spans.at(np.array([0, 1, 3, 4, 8, 9])).tolist() == [-1, 0, 0, -1, 1, -1]


def test_a_million_holes_cost_no_more_than_their_numbers() -> None:
    times = START + 60_000 * np.flatnonzero(np.random.default_rng(5).random(3_500_000) < 0.75)

    before = time.process_time()
    gaps = type_gaps(times, "1m", Known("bitfinex", [(START, START + 3_500_000 * 60_000)]))

    assert gaps.counts == {"no trades": int(times[-1] - times[0]) // 60_000 + 1 - len(times)}
    assert time.process_time() - before < 20  # a loop over the bars would take minutes
