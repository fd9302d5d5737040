"""What every panel of the report is made of: its empty frame, lines, what hovering shows, and the bars that are drawn.

Imported only when a report is written, because bokeh takes most of a second to load.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from algotrade.market.candles import Floats, Times
from algotrade.market.timeframe import timeframe_ms

MOST_CANDLES: Final = 20_000  # drawn on one page; a browser stays quick with that many
LINES: Final = ("#d98e04", "#7c5cc4", "#2a9db0", "#c2558b", "#7d8f29", "#8a6d5a")
INK: Final = "#808890"  # readable on a light and on a dark page
GRID: Final = "rgba(128, 136, 144, 0.18)"
WHEN: Final = ("time (UTC)", "@time{%F %H:%M}")
FIGURE_FORMAT: Final = "{0,0.00[000000]}"
TOOLS: Final = "xpan,xwheel_zoom,xbox_zoom,reset"


class Bars(NamedTuple):
    """What is drawn: each drawn bar stands for `size` bars of the run."""

    times: Times  # open time of the first bar of each, milliseconds, shape (drawn,)
    starts: npt.NDArray[np.int64]  # its row, shape (drawn,)
    size: int
    width_ms: int
    broken: npt.NDArray[np.int64]  # positions before which bars are missing

    def last(self, values: Floats) -> Floats:
        """The last value of each drawn bar."""
        ends = np.append(self.starts[1:], len(values)) - 1
        return np.asarray(values[ends], np.float64)

    def line(self, values: Floats) -> Floats:
        """Values of a line with a NaN before each gap, so that it is not drawn across."""
        return np.insert(values, self.broken, np.nan)

    @property
    def line_times(self) -> Times:
        """Times that belong to `line`."""
        return np.insert(self.times, self.broken, self.times[self.broken])


def group_bars(times: Times, timeframe: str, most: int = MOST_CANDLES) -> Bars:
    """One drawn bar for each bar, or for several where there are more than a browser likes.

    Args:
        times: open times, milliseconds, rising, shape (bars,).
        timeframe: of the bars.
        most: bars that are drawn.
    """
    size = max(1, math.ceil(len(times) / most))
    starts = np.arange(0, len(times), size)
    width = timeframe_ms(timeframe) * size
    broken = np.flatnonzero(np.diff(times[starts]) > width) + 1
    return Bars(times[starts], starts, size, width, broken)


def span_of(bars: Bars) -> Range1d:
    """The time axis that all panels share, from a little before the first bar to a little after the last."""
    first, last = int(bars.times[0]), int(bars.times[-1])
    margin = max(bars.width_ms, (last - first) // 100)
    return Range1d(start=first - margin, end=last + margin)


def empty_panel(height: int, span: Range1d) -> figure:
    """An empty panel in neutral colours whose vertical scale follows what is in view."""
    panel = figure(
        height=height,
        x_axis_type="datetime",
        x_range=span,
        y_range=DataRange1d(range_padding=0.06),
        window_axis="x",
        tools=TOOLS,
        active_drag="xpan",
        active_scroll="xwheel_zoom",
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        min_border_left=80,
        min_border_right=10,
    )
    panel.grid.grid_line_color = GRID
    panel.axis.axis_line_color = GRID
    panel.axis.major_tick_line_color = GRID
    panel.axis.minor_tick_line_color = None
    panel.axis.major_label_text_color = INK
    panel.xaxis.visible = False
    panel.yaxis.formatter = NumeralTickFormatter(format="0,0.[00000000]")
    return panel


def finished(panel: figure) -> figure:
    """Put the legend above the panel, out of the way; a click on a name hides its line."""
    for legend in list(panel.legend):
        legend.orientation = "horizontal"
        legend.location = "left"
        legend.click_policy = "hide"
        legend.background_fill_alpha = 0
        legend.border_line_alpha = 0
        legend.label_text_color = INK
        legend.label_text_font_size = "12px"
        legend.margin = 0
        panel.center.remove(legend)
        panel.add_layout(legend, "above")
    return panel


def draw_line(panel: figure, bars: Bars, name: str, values: Floats, colour: str) -> Any:
    """A line of one value per bar of the run, broken where bars are missing; `name` stands in the legend."""
    source = ColumnDataSource({"time": bars.line_times, "value": bars.line(bars.last(values))})
    return panel.line("time", "value", source=source, color=colour, line_width=1.4, legend_label=name)


def hovering(renderer: Any, tooltips: list[tuple[str, str]], mode: Any) -> HoverTool:
    """Shows what lies under the pointer: what each line of the tip is called, and its column."""
    return HoverTool(renderers=[renderer], tooltips=tooltips, formatters={"@time": "datetime"}, mode=mode)
