from __future__ import annotations

import numpy as np
import pytest

from algotrade.show.chart import Curve, LineChart, ascii_lines, bands, braille_lines
from tests.shell.show.samples import DAY_MS, START, on_terminal, piped


def curve(values) -> Curve:
    return Curve(START + DAY_MS * np.arange(len(values)), np.array(values, float))


def test_a_rising_line_rises():
    assert ascii_lines(np.array([1.0, 2.0, 3.0]), 3, 3) == ["  *", " * ", "*  "]
    assert braille_lines(np.array([1.0, 2.0, 3.0, 4.0]), 2, 1) == ["⡠⠊"]


def test_a_level_line_is_level():
    assert ascii_lines(np.array([5.0, 5.0]), 4, 3) == ["    ", "****", "    "]


@pytest.mark.parametrize("count", [2, 7, 50, 5000])
def test_every_column_is_drawn_and_touches_the_one_before(count):
    low, high = bands(np.random.default_rng(count).normal(size=count), 40, 28)
    assert (low <= high).all()
    assert (low[1:] <= high[:-1] + 1).all()
    assert (high[1:] >= low[:-1] - 1).all()


def test_a_single_spike_among_a_million_bars_is_not_lost():
    values = np.ones(1_000_000)
    values[777_777] = 2.0
    _, high = bands(values, 100, 20)
    assert high.max() == 19
    assert (high == 19).sum() == 1


def test_the_chart_names_its_extremes_and_its_span():
    text = on_terminal(LineChart(curve([10_000, 12_000, 9_000])))
    assert "12,000.00 │" in text
    assert " 9,000.00 │" in text
    assert "2018-01-01" in text
    assert "2018-01-03" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_terminal_without_unicode_gets_plain_characters():
    text = piped(LineChart(curve([10_000, 12_000, 9_000])), encoding="ascii")
    assert "*" in text
    assert "12,000.00 |" in text


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, np.nan, np.nan], [1.0, np.nan]])
def test_too_few_points_are_said_to_be_too_few(values):
    assert "no line to draw yet" in on_terminal(LineChart(curve(values)))


def test_undefined_points_are_left_out():
    assert "12,000.00" in on_terminal(LineChart(curve([np.nan, 10_000, 12_000, np.nan])))
