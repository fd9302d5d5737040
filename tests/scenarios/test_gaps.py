"""Why hours are missing, drawn: a character is an hour, `#` a bar, `.` none.

    BTC/USD | #####....#####
    asked   | =======..=====    `=`: kraken has answered for it; without this line, for everything
    refused |      x            `x`: a candle came and was refused
    down    |       ~           `~`: kraken said that it was down
    ETH/USD | #####....#####    a further market of kraken's
    why     |      qdnn         q quarantined, d exchange down, n not downloaded, t no trades

Before and after each picture there are 600 hours: a bar in each, or in every so-many'th where `a bar every` says so.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from algotrade.market.gap_pieces import EXCHANGE_DOWN, NO_TRADES, NOT_DOWNLOADED, QUARANTINED
from algotrade.market.gaps import Known, Outage, neighbour, type_gaps
from algotrade.market.silence import Times

HOUR = 3_600_000
BESIDE = 600
LETTERS = {QUARANTINED: "q", EXCHANGE_DOWN: "d", NOT_DOWNLOADED: "n", NO_TRADES: "t"}

SCENARIOS = """
one hour without a trade
    BTC/USD | #####.#####
    why     |      t

three hours of silence in a market that always trades are no accident
    BTC/USD | #####...#####
    why     |      ddd

and are nothing remarkable in a market that trades every third hour
    a bar every 3
    BTC/USD | #..#...#..#
    why     |  tt ttt tt

a day of silence is remarkable nowhere where most hours trade
    a bar every 2
    BTC/USD | #.#....................#.#
    why     |  t tttttttttttttttttttt t

nobody asked for the end of the hole
    BTC/USD | #####......#####
    asked   | ========...=====
    why     |      dddnnn

the exchange sent nonsense for one hour of three
    BTC/USD | #####...#####
    refused |       x
    why     |      tqt

a candle that was refused is quarantined, whether or not its span counts as asked for
    BTC/USD | #####...#####
    asked   | ======.======
    refused |       x
    why     |      tqt

the exchange said so: one hour is enough
    BTC/USD | #####.#####
    down    |      ~
    why     |      d

another market stands still too: one hour is enough
    BTC/USD | #####.#####
    ETH/USD | #####.#####
    why     |      d

what is on record comes before what silence says
    BTC/USD | #####....#####
    asked   | =======..=====
    refused |      x
    down    |       ~
    ETH/USD | #####....#####
    why     |      qdnn

another market trades: it was not the exchange
    BTC/USD | #####....#####
    ETH/USD | ##############
    why     |      tttt

of three markets one trades: it was not the exchange
    BTC/USD | #####..#####
    ETH/USD | #####..#####
    SOL/USD | #####.######
    why     |      dt

a market that seldom trades is no witness
    BTC/USD | #####.#####
    DOG/USD | #....#....# every 5
    why     |      t
"""


def line(name: str, text: str) -> str:
    found = re.search(rf"^ *{name} *\| (.*)$", text, re.M)
    return found[1] if found else ""


def hours_of(picture: str, every: int = 1) -> Times:
    """Open times of the bars: the picture's, between the bars beside it."""
    at = [hour for hour, mark in enumerate(picture) if mark == "#"]
    before = range(-every * (BESIDE // every), 0, every)
    after = range(len(picture) - 1 + every, len(picture) + BESIDE, every)
    return np.array([*before, *at, *after], np.int64) * HOUR


def marked(picture: str, mark: str) -> list[int]:
    return [hour * HOUR for hour, each in enumerate(picture) if each == mark]


def known_of(text: str) -> Known:
    asked = line("asked", text)
    unasked = set(marked(asked, "."))
    covered = [
        (hour * HOUR, (hour + 1) * HOUR) for hour in range(-BESIDE - 99, BESIDE + 99) if hour * HOUR not in unasked
    ]
    others = re.findall(r"^ *((?!BTC)\w+/USD) *\| ([#.]+)(?: every (\d+))?$", text, re.M)
    return Known(
        "kraken",
        covered,
        refused=dict.fromkeys(marked(line("refused", text), "x"), "high is below low"),
        outages=[Outage(hour, hour + HOUR, "kraken said so") for hour in marked(line("down", text), "~")],
        neighbours=[neighbour(name, hours_of(bars, int(every or 1)), "1h", covered) for name, bars, every in others],
    )


@pytest.mark.parametrize("text", SCENARIOS.strip().split("\n\n"), ids=lambda text: text.partition("\n")[0])
def test_every_missing_hour_has_its_reason(text: str) -> None:
    picture, every = line("BTC/USD", text), re.search(r"a bar every (\d+)", text)

    gaps = type_gaps(hours_of(picture, int(every[1]) if every else 1), "1h", known_of(text))

    drawn = [" "] * len(picture)
    for gap in gaps.rows():
        for hour in range(gap.start // HOUR, gap.end // HOUR + 1):
            if 0 <= hour < len(picture):
                drawn[hour] = LETTERS[gap.kind]
    assert "".join(drawn).rstrip() == line("why", text).rstrip()
