"""`algotrade list data`: what is amiss with the stored candles (`--gaps` and others), or proves that nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from algotrade.market.candles import RefusedCandle, SeriesKey, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_time
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.database import open_database
from tests.shell.cli.conftest import Command

HOUR = 3_600_000
START = parse_time("2024-01-01")
KEY = SeriesKey("kraken", "BTC/USD", "1h")


@pytest.fixture
def stored(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 hours of bitcoin: one refused, one without trades, 26 lost; one has come again with another price."""
    bars = simulate_candles("BTC/USD", "1h", START, START + 999 * HOUR)
    lost = {300, 600, *range(700, 726)}
    kept = bars.iloc[[at for at in range(len(bars)) if at not in lost]]
    refused = RefusedCandle(START + 300 * HOUR, "high is below low", (1.0, 1.0, 2.0, 1.0, 1.0))
    monkeypatch.setenv("ALGOTRADE_DATABASE_URL", str(place / "candles.sqlite"))
    with open_database(place / "candles.sqlite") as database:
        evidence = Evidence(START, [refused], [(START, START + 1000 * HOUR)])
        write_candles(database, KEY, times_ms(kept), kept.to_numpy().T, evidence)
        again = kept.iloc[5:6].to_numpy().T * np.array([[1], [1.5], [1], [1], [1]])
        write_candles(database, KEY, times_ms(kept.iloc[5:6]), again, Evidence(START + HOUR))


pytestmark = pytest.mark.usefixtures("stored")


def test_holes_are_told_apart_with_their_evidence(algotrade: Command) -> None:
    run = algotrade("list", "data", "--gaps")

    lines = [" ".join(line.split()) for line in run.out.splitlines()]
    assert run.code == 0
    assert "kraken BTC/USD 1h official" in lines
    assert "2024-01-13 12:00 2024-01-13 12:00 1 quarantined high is below low" in lines
    assert "2024-01-26 00:00 2024-01-26 00:00 1 no trades kraken has no bar there" in lines
    assert "2024-01-30 04:00 2024-01-31 05:00 26 exchange down likely: 772 of 773 bars around it have trades" in lines
    assert lines[-1] == "28 bars missing: 26 exchange down, 1 no trades, 1 quarantined"


def test_the_foremost_are_shown_and_the_others_counted(algotrade: Command) -> None:
    text = algotrade("list", "data", "--gaps", "--most", "1").out
    document = algotrade("list", "data", "--gaps", "--most", "1", "--json").document

    assert text.splitlines()[-1].endswith("; the 1 foremost of 3 holes")
    (series,) = document["series"]
    assert (series["missing"], series["holes"]) == (28, 3)
    assert series["kinds"] == {"no trades": 1, "exchange down": 26, "quarantined": 1}
    assert [gap["bars"] for gap in series["gaps"]] == [26]


def test_refused_candles_are_shown_with_their_reason(algotrade: Command) -> None:
    assert "high is below low" in algotrade("list", "data", "--quarantine").out
    (row,) = algotrade("list", "data", "--quarantine", "--json").document["quarantine"]
    assert (row["time"], row["open"], row["values"]) == ("2024-01-13T12:00:00Z", True, [1.0, 1.0, 2.0, 1.0, 1.0])


def test_revised_candles_are_shown_with_both_values(algotrade: Command) -> None:
    (row,) = algotrade("list", "data", "--revisions", "--json").document["revisions"]

    assert row["time"] == "2024-01-01T05:00:00Z"
    assert row["new"][1] == 1.5 * row["old"][1]
    title, head, _, shown = algotrade("list", "data", "--revisions").out.strip().splitlines()
    assert (title, head.split()) == ("kraken BTC/USD 1h official", ["time", "seen", "changed"])
    assert shown.startswith("2024-01-01 05:00  2024-01-01 01:00  high ")
    assert " -> " in shown
    assert "low" not in shown


def test_corrections_can_be_read_on_a_narrow_terminal(terminal: Callable[..., str]) -> None:
    for table, words in (("--revisions", "2024-01-01 05:00 2024-01-01 01:00 high "),
                         ("--quarantine", "2024-01-13 12:00 2024-01-01 00:00 high is below low yes")):  # fmt: skip
        lines = [" ".join(line.split()) for line in terminal("list", "data", table).splitlines()]
        assert "kraken BTC/USD 1h official" in lines
        assert [line for line in lines if line.startswith(words)], lines


def test_what_proves_downloaded_trades_is_shown_after_the_fetch_and_ever_after(algotrade: Command) -> None:
    nothing = algotrade("list", "data", "--proof")
    assert (nothing.code, nothing.out) == (0, "")
    assert "no stored candles are made of downloaded trades" in nothing.err
    spans = ("--exchange", "demo", "--timeframe", "1m", "--start", "2024-01-01", "--end", "2024-01-01T03:05")
    algotrade("fetch", *spans)
    fetched = algotrade("fetch", *spans, "--via", "trades")
    chain = "1,000 trades in 1 page, the chain of cursors is unbroken from 2024-01-01T00:00:00Z to 2024-01-01T04:09:"
    equal = "186 of 186 official bars are equal"
    last = fetched.out.splitlines()[-1]
    assert last.startswith(f"proof: {chain}")
    assert last.endswith(f"; {equal}")
    shown = algotrade("list", "data", "--proof").out.strip().splitlines()
    assert shown[0] == "demo BTC/USD 1m trades"
    assert shown[1].startswith(chain)
    assert shown[2] == equal
    assert algotrade("list", "data", "--proof", "--most", "1").out.splitlines()[-1] == "1 more; --most shows more"
    (series,) = algotrade("list", "data", "--proof", "--json").document["series"]
    assert (series["unbroken"], series["trades"], series["comparison"]["equal"]) == (True, 1000, 186)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--gaps", "--quarantine"], "one of --gaps, --quarantine at a time"),
        (["--gaps", "--symbol", "ETH/USD"], "no series of ETH/USD is stored"),
        (["--revisions", "--exchange", "krakn"], "no series of krakn is stored. Did you mean 'kraken'?"),
        (["--proof", "--timeframe", "1m"], "no series of 1m is stored"),
    ],
)
def test_what_makes_no_sense_is_refused(algotrade: Command, given: list[str], said: str) -> None:
    run = algotrade("list", "data", *given)

    assert run.code != 0
    assert said in run.err


def test_the_list_of_series_can_be_narrowed(algotrade: Command) -> None:
    assert len(algotrade("list", "data", "--timeframe", "1h", "--json").document["data"]) == 1
    run = algotrade("list", "data", "--exchange", "bitfinex", "--json")
    assert (run.code, run.document["data"]) == (0, [])
    assert "no series of bitfinex is stored." in run.err
    assert "nothing is stored yet" not in run.err
