from __future__ import annotations

import copy
import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.setup import Setup
from algotrade.errors import FixConfiguration, FixData
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument
from algotrade.show import report
from algotrade.show.report import report_html, write_report
from tests.shell.show.samples import DAY_MS, START, make_run
from tests.shell.show.test_tables import HOSTILE

pytest.importorskip("bokeh")

from algotrade.show import figures  # after the check that bokeh is there


class Page(HTMLParser):
    """What a browser would load, and what a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._inside = tag
        self.tags.append(tag)
        names = ("src", "srcset", "href", "data", "action", "background", "poster")
        self.loads += [value for name, value in attributes if name in names]

    def handle_data(self, text):
        if self._inside not in ("script", "style"):
            self.words.append(text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def run():
    return make_run(check="budget")


@pytest.fixture(scope="module")
def page(run):
    return report_html(run.result, run.document)


def test_the_page_loads_nothing_and_forbids_it(page):
    assert Page(page).loads == []
    assert "default-src 'none'" in page
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "@import" not in styles
    assert not re.search(r"url\(\s*[\"']?http", styles)


def test_the_page_carries_figures_checks_and_conditions(run, page):
    text = Page(page).text
    summary = run.result.summary
    for part in (
        f"{summary['final_equity']:,.2f}",
        f"{summary['max_drawdown']:.2%}",
        "look-ahead passed",
        "fast=10 slow=20",
        "fee 0.40%, slippage 0.05%",
        "2018-01-01 to 2020-06-18",
    ):
        assert part in text


def test_the_title_says_simulated_where_it_is(run, page):
    title = re.compile("<title>(.*?)</title>")
    assert title.search(page)[1] == "cross on BTC/USD 1d - SIMULATED MARKET"
    real = copy.deepcopy(run.document)
    real["data"]["simulated"] = False
    assert "SIMULATED" not in Page(report_html(run.result, real)).text


def test_a_failed_check_stands_above_the_figures(run):
    failed = copy.deepcopy(run.document)
    failed["checks"]["look_ahead"] = {"passed": False, "covered": 3, "total": 900, "detail": "it peeks"}
    text = Page(report_html(run.result, failed)).text
    assert text.index("CHECK FAILED: look-ahead: it peeks") < text.index("Portfolio evaluation")


def test_checks_that_did_not_run_say_so(run):
    assert "none were run" in Page(report_html(run.result, {**run.document, "checks": {}})).text


def test_hostile_names_are_text(run):
    hostile = copy.deepcopy(run.document)
    bad = f"</script><img src=x onerror=alert(1)>{HOSTILE}"
    hostile["strategy"] = {**hostile["strategy"], "name": bad, "parameters": {bad: bad}}
    hostile["data"]["symbol"] = hostile["run"] = bad
    hostile["warnings"] = [bad]
    renamed = dataclasses.replace(run.result, signals=run.result.signals.rename(columns={"fast": bad}))
    page = report_html(renamed, hostile)
    assert "img" not in Page(page).tags
    assert Page(page).loads == []
    assert not set(page) & {"\x1b", "\x00", "\u202e"}


def test_without_bokeh_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(report.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FixConfiguration) as problem:
        report_html(run.result, run.document)
    assert "bokeh" in problem.value.message
    assert problem.value.hint == "pip install 'algotrade[web]'"


def test_a_place_that_cannot_be_written_is_a_sentence(run, tmp_path):
    with pytest.raises(FixConfiguration, match=r"cannot write the report to .*: No such file or directory"):
        write_report(run.result, run.document, tmp_path / "missing" / "report.html")


def test_a_result_without_bars_cannot_be_drawn(run):
    with pytest.raises(FixData, match="no bars"):
        report_html(
            run_kernel(run.result.candles.iloc[:0], np.empty(0), Setup((Instrument("BTC/USD"),), "1d")), run.document
        )


def test_the_file_is_the_page(run, tmp_path):
    path = tmp_path / "report.html"
    write_report(run.result, run.document, path)
    assert Page(path.read_text(encoding="utf-8")).text.startswith("cross on BTC/USD 1d")


# ---- what is drawn --------------------------------------------------------------------------------------------------
def test_indicators_go_to_the_price_or_to_panels_of_their_scale(run):
    close = run.result.candles["close"]
    signals = run.result.signals.assign(
        band=close * 1.1, rsi=50.0, macd=close * 0.02, macd_signal=close * 0.018, never=np.nan, stop_loss=0.1, name="x"
    )
    on_price, panels = figures.sort_indicators(dataclasses.replace(run.result, signals=signals))
    assert list(on_price) == ["fast", "slow", "band"]
    assert [list(panel) for panel in panels] == [["oscillator"], ["rsi"], ["macd", "macd_signal"]]


def test_an_event_strategy_has_no_indicators(run):
    assert figures.sort_indicators(dataclasses.replace(run.result, signals=None)) == ({}, [])


def test_few_bars_are_drawn_one_by_one_and_gaps_are_not_bridged():
    times = START + DAY_MS * np.array([0, 1, 2, 5, 6])
    bars = figures.group_bars(times, "1d")
    assert bars.size == 1
    assert bars.width_ms == DAY_MS
    assert np.array_equal(bars.line(np.arange(5.0)), [0, 1, 2, np.nan, 3, 4], equal_nan=True)
    assert len(bars.line_times) == 6


def test_many_bars_are_drawn_in_groups_and_the_page_says_so():
    count = 50_000
    times = START + 60_000 * np.arange(count)
    close = 100 + np.sin(np.arange(count) / 50)
    candles = candle_table(times, [close, close + 0.5, close - 0.5, close, np.ones(count)])
    result = run_kernel(candles, (np.arange(count) // 2 % 2).astype(float), Setup((Instrument("BTC/USD"),), "1m"))
    bars = figures.group_bars(times, "1m")
    assert (bars.size, len(bars.times), bars.width_ms) == (3, 16_667, 180_000)
    assert bars.last(np.arange(float(count)))[-1] == count - 1
    drawing = figures.draw(result)
    assert drawing.notes == [
        "Each candle drawn covers 3 bars (16,667 drawn for 50,000); the figures use every bar.",
        "Only the last 10,000 of 24,999 fills are marked.",
    ]


def test_fills_do_not_set_the_price_scale(run):
    """A view without a fill would be scaled to all fills there are."""
    price = figures.draw(run.result).layout.children[0][0]
    scaled = [type(renderer.glyph).__name__ for renderer in price.y_range.renderers]
    assert scaled == ["Segment", "Line", "Line"]


@pytest.mark.parametrize("bars", [1, 2, 30])
def test_a_short_run_without_a_fill_is_drawn(run, bars):
    result = run_kernel(run.result.candles.iloc[:bars], np.zeros(bars), Setup((Instrument("BTC/USD"),), "1d"))
    assert figures.draw(result).notes == []


def test_grouped_candles_keep_every_extreme():
    count = 45_000
    times = START + 60_000 * np.arange(count)
    close = 100 + np.random.default_rng(0).normal(size=count)
    candles = candle_table(times, [close, close + 1, close - 1, close, np.ones(count)])
    result = run_kernel(candles, np.zeros(count), Setup((Instrument("BTC/USD"),), "1m"))
    drawn = figures.candle_columns(result, figures.group_bars(times, "1m"))
    assert drawn["high"].max() == candles["high"].max()
    assert drawn["low"].min() == candles["low"].min()
    assert drawn["volume"].sum() == count
    assert drawn["close"][0] == close[2]
