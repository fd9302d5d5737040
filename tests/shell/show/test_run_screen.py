from __future__ import annotations

import copy
import re

import numpy as np
import pytest

from algotrade.show.chart import Curve
from algotrade.show.run import portfolio_table, run_page
from algotrade.show.trades import trade_table
from algotrade.show.verdicts import alarms
from algotrade.show.why import why_panel
from tests.shell.show.samples import make_run, on_terminal, piped
from tests.shell.show.test_tables import HOSTILE, LEGIBLE


@pytest.fixture(scope="module")
def run():
    return make_run(check="budget")


def page(run, document=None, **options):
    return run_page(document or run.document, Curve(run.result.times, run.result.equity_values), **options)


def changed(document, **changes):
    """The document with "data__gaps=3" put where it belongs."""
    other = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = other
        for parent in parents:
            place = place[parent]
        place[last] = value
    return other


def test_the_page_says_what_was_run(run):
    text = on_terminal(*page(run))
    for part in (
        "cross on BTC/USD 1d - SIMULATED MARKET",
        "fast=10 slow=20",
        "demo BTC/USD 1d, origin demo",
        "2018-01-01 to 2020-06-18, 900 bars, none missing",
        "10,000.00 USD",
        "fee 0.40%, slippage 0.05%",
    ):
        assert part in text


def test_every_figure_stands_whole_in_eighty_columns(run):
    text = on_terminal(*page(run))
    summary, held = run.result.summary, run.document["buy_and_hold"]
    for figures in (summary, held):
        assert f"{figures['final_equity']:,.2f}" in text
        assert f"{figures['total_return']:,.2%}" in text
        assert f"{figures['max_drawdown']:.2%}" in text
        assert f"{figures['sharpe']:.2f}" in text
    for trip in run.document["round_trips"][-10:]:
        assert f"{trip['profit']:+,.2f}" in text
        assert f"{trip['entry_price']:,.2f}" in text
        assert f"{trip['exit_price']:,.2f}" in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_ten_round_trips_are_shown_and_the_hidden_ones_counted(run):
    trips = run.document["round_trips"]
    few, all_of_them = piped(trade_table(run.document)), piped(trade_table(run.document, all_round_trips=True))
    assert few.count(" long ") == 10
    assert f"{len(trips) - 10} earlier ones are hidden: --all-round-trips" in few
    assert all_of_them.count(" long ") == len(trips)
    assert "hidden" not in all_of_them


def test_no_round_trip_is_said_to_be_none(run):
    assert "no round trip was closed" in piped(trade_table(changed(run.document, round_trips=[])))


def test_side_and_reason_are_said_once_where_there_is_no_room(run):
    assert "side long, exit reason signal in every row" in on_terminal(trade_table(run.document))
    mixed = changed(
        run.document, round_trips=[{**run.document["round_trips"][0], "side": "short"}, *run.document["round_trips"]]
    )
    text = on_terminal(trade_table(mixed, all_round_trips=True))
    assert "short" in text
    assert "long" in text


def test_undefined_figures_are_not_available_and_not_zero(run):
    text = piped(portfolio_table(changed(run.document, summary={"sharpe": None}, buy_and_hold={})))
    assert "Sharpe ratio" in text
    assert text.count("n/a") >= 12


def test_checks_tell_how_much_they_covered(run):
    text = on_terminal(*page(run))
    look_ahead = run.document["checks"]["look_ahead"]
    assert f"look-ahead  passed   {look_ahead['covered']} of 900" in text


def test_a_failed_check_stands_above_the_figures(run):
    failed = changed(
        run.document, checks__look_ahead={"passed": False, "covered": 3, "total": 900, "detail": "it peeks"}
    )
    text = on_terminal(*page(run, failed))
    assert "CHECK FAILED: look-ahead: it peeks" in text
    assert text.index("CHECK FAILED") < text.index("cannot be believed") < text.index("Portfolio evaluation")
    assert "\x1b[1;31mCHECK FAILED" in on_terminal(*alarms(failed), color_system="standard")


def test_checks_that_did_not_run_say_so(run):
    assert "none were run" in piped(*page(run, changed(run.document, checks={})))
    skipped = {"passed": None, "covered": 0, "total": 900, "detail": "not checked: the strategy looks ahead"}
    text = piped(*page(run, changed(run.document, checks__warm_up=skipped)))
    assert re.search(r"warm-up +not run +not checked: the strategy looks ahead", text)


@pytest.mark.parametrize(("gaps", "warned"), [(0, False), (9, False), (10, True)])
def test_more_than_one_percent_of_missing_bars_is_a_warning(run, gaps, warned):
    text = piped(*page(run, changed(run.document, data__gaps=gaps)))
    assert ("bars are missing" in text) == warned


def test_the_documents_own_warnings_are_printed(run):
    assert "warning: not tradable on spot" in piped(
        *page(run, changed(run.document, warnings=["not tradable on spot"]))
    )


def test_refused_orders_are_counted_by_their_reasons(run):
    reasons = ["max_order_notional"] * 71 + ["below_min_quantity"] * 2 + ["nothing_to_trade"] * 70
    text = piped(*page(run, changed(run.document, rejections=[{"time": "", "reason": reason} for reason in reasons])))
    assert (
        "warning: 73 orders were refused: 71 because the order was above the limit on one order,"
        " 2 because the order was below the market's smallest quantity\n"
    ) in text
    single = changed(run.document, rejections=[{"time": "", "reason": "no_equity_left"}])
    assert "1 order was refused: 1 because there was no equity left" in piped(*page(run, single))


@pytest.mark.parametrize("reasons", [[], ["nothing_to_trade"] * 70])
def test_what_found_nothing_to_trade_is_no_refusal(run, reasons):
    rejections = [{"time": "", "reason": reason} for reason in reasons]
    assert "refused" not in piped(*page(run, changed(run.document, rejections=rejections)))


def test_a_real_market_is_not_called_simulated(run):
    assert "SIMULATED" not in piped(*page(run, changed(run.document, data__simulated=False)))


def test_what_to_type_next_stands_at_the_end(run):
    text = on_terminal(*page(run, see_more=[("in depth", "algotrade evaluate r1")]))
    assert text.rstrip().endswith("in depth  algotrade evaluate r1")


def test_a_pipe_gets_no_escape_codes(run):
    assert "\x1b" not in piped(*page(run))


@pytest.mark.parametrize("show", [piped, on_terminal])
def test_hostile_names_are_harmless(run, show):
    hostile = changed(
        run.document,
        strategy__name=HOSTILE,
        strategy__parameters={HOSTILE: HOSTILE},
        data__symbol=HOSTILE,
        data__exchange=HOSTILE,
        warnings=[HOSTILE],
        checks__purity={"passed": False, "covered": 1, "total": 1, "detail": HOSTILE},
        run=HOSTILE,
    )
    text = show(*page(run, hostile))
    assert LEGIBLE in text
    assert not set(text) & {"\x1b", "\x00", "\x9b", "\u202e"}


def test_a_million_bars_are_shown_at_once(run):
    bars = 1_000_000
    curve = Curve(np.arange(bars) * 60_000, np.linspace(1.0, 2.0, bars))
    assert "2.00 │" in on_terminal(*run_page(run.document, curve))


def test_why_tells_what_was_seen_wanted_and_done():
    document = {
        "simulated": True,
        "title": "BTC/USD 1d, bar 2024-01-31",
        "answer": "nothing was traded: the target did not change",
        "saw": {"close": 43_210.5, "[b]slow_average": None, "exposure": 1.0, "bar": "2024-01-31T00:00:00Z"},
        "did": {"order": "none\x1b"},
    }
    lines = [line.rstrip() for line in piped(why_panel(document)).splitlines()]
    assert lines == [
        "BTC/USD 1d, bar 2024-01-31 - SIMULATED MARKET",
        "nothing was traded: the target did not change",
        "",
        "Saw",
        "close            43,210.5",
        "[b]slow average  n/a",
        "exposure         1",
        "bar              2024-01-31 00:00",
        "",
        "Did",
        "order  none",
    ]
