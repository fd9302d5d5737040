"""The panels of the report, drawn with bokeh: price with fills and indicators, equity, drawdown, one time axis.

Imported only when a report is written, because bokeh takes most of a second to load.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from bokeh.layouts import gridplot
from bokeh.models import (
    ColumnDataSource,
    CrosshairTool,
    DataRange1d,
    HoverTool,
    LayoutDOM,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from algotrade.errors import FixData
from algotrade.evaluate.metrics import drawdowns
from algotrade.evaluate.result import Result
from algotrade.evaluate.summary import buy_and_hold
from algotrade.market.candles import COLUMNS, Floats, Times
from algotrade.market.timeframe import timeframe_ms
from algotrade.show import format as fmt

MOST_CANDLES: Final = 20_000  # drawn; a browser stays quick with that many
MOST_FILLS: Final = 10_000
NOT_INDICATORS: Final = frozenset({*COLUMNS, "signal", "stop_loss", "take_profit", "trailing_stop"})
ON_PRICE_SCALE: Final = (0.5, 2.0)  # an indicator that stays between these multiples of the close belongs to the price
SAME_SCALE: Final = 5.0  # other indicators share a panel up to this ratio of their largest values

RISING: Final = "#5f9f8f"
FALLING: Final = "#b8706c"
BOUGHT: Final = "#12a150"
SOLD: Final = "#e0313b"
OURS: Final = "#3b82c4"
HELD: Final = "#9a9a9a"
LINES: Final = ("#d98e04", "#7c5cc4", "#2a9db0", "#c2558b", "#7d8f29", "#8a6d5a")
INK: Final = "#808890"  # readable on a light and on a dark page
GRID: Final = "rgba(128, 136, 144, 0.18)"
WHEN: Final = ("time (UTC)", "@time{%F %H:%M}")
FIGURE_FORMAT: Final = "{0,0.00[000000]}"
TOOLS: Final = "xpan,xwheel_zoom,xbox_zoom,reset"


class Drawing(NamedTuple):
    """The panels, and what a reader must know about how they were drawn."""

    layout: LayoutDOM
    notes: list[str]


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


def draw(result: Result) -> Drawing:
    """All panels of a run, the newest bar at the right, their time axes moving together.

    Raises:
        FixData: the run has no bars.
    """
    if not len(result.times):
        raise FixData("there is nothing to draw: the run has no bars")
    bars = group_bars(result.times, result.timeframe)
    on_price, panels = sort_indicators(result)
    span = _span(bars)
    figures = [_price(result, bars, on_price, span)]
    figures += [_indicators(columns, bars, span) for columns in panels]
    figures += [_equity(result, bars, span), _drawdown(result, bars, span)]
    cross = CrosshairTool(overlay=Span(dimension="height", line_color=INK, line_alpha=0.5), dimensions="height")
    for panel in figures:
        panel.add_tools(cross)
    figures[0].xaxis.visible = figures[-1].xaxis.visible = True
    layout = gridplot(
        [[panel] for panel in figures],
        sizing_mode="stretch_width",
        toolbar_location="right",
        toolbar_options={"logo": None},
    )
    return Drawing(layout, _notes(result, bars))


def _span(bars: Bars) -> Range1d:
    """The time axis that all panels share, from a little before the first bar to a little after the last."""
    first, last = int(bars.times[0]), int(bars.times[-1])
    margin = max(bars.width_ms, (last - first) // 100)
    return Range1d(start=first - margin, end=last + margin)


def group_bars(times: Times, timeframe: str) -> Bars:
    """One drawn bar for each bar, or for several where there are more than a browser likes.

    Args:
        times: open times, milliseconds, rising, shape (bars,).
        timeframe: of the bars.
    """
    size = max(1, math.ceil(len(times) / MOST_CANDLES))
    starts = np.arange(0, len(times), size)
    width = timeframe_ms(timeframe) * size
    broken = np.flatnonzero(np.diff(times[starts]) > width) + 1
    return Bars(times[starts], starts, size, width, broken)


def sort_indicators(result: Result) -> tuple[dict[str, Floats], list[dict[str, Floats]]]:
    """The strategy's own columns: those on the scale of the price, and the others in groups of one scale."""
    on_price: dict[str, Floats] = {}
    panels: list[dict[str, Floats]] = []
    close = result.candles["close"].to_numpy()
    for name, values in _own_columns(result).items():
        known = np.isfinite(values)
        if not known.any():
            continue
        low, high = np.quantile(values[known] / close[known], [0.05, 0.95])
        if ON_PRICE_SCALE[0] <= low and high <= ON_PRICE_SCALE[1]:
            on_price[name] = values
        elif panels and _same_scale(values, next(iter(panels[-1].values()))):
            panels[-1][name] = values
        else:
            panels.append({name: values})
    return on_price, panels


def _own_columns(result: Result) -> dict[str, Floats]:
    if result.signals is None:
        return {}
    numeric = result.signals.select_dtypes(["number", "bool"])
    return {
        fmt.plain(name): numeric[name].to_numpy(np.float64) for name in numeric.columns if name not in NOT_INDICATORS
    }


def _same_scale(one: Floats, other: Floats) -> bool:
    first, second = float(np.nanmax(np.abs(one))), float(np.nanmax(np.abs(other)))
    return max(first, second) <= SAME_SCALE * min(first, second)


def _notes(result: Result, bars: Bars) -> list[str]:
    notes = []
    if bars.size > 1:
        drawn, whole = fmt.count(len(bars.times)), fmt.count(len(result.times))
        notes.append(
            f"Each candle drawn covers {bars.size} bars ({drawn} drawn for {whole}); the figures use every bar."
        )
    if len(result.filled.bar) > MOST_FILLS:
        notes.append(f"Only the last {fmt.count(MOST_FILLS)} of {fmt.count(len(result.filled.bar))} fills are marked.")
    return notes


def _panel(height: int, span: Range1d) -> figure:
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


def _finish(panel: figure) -> figure:
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


def _price(result: Result, bars: Bars, indicators: Mapping[str, Floats], span: Range1d) -> figure:
    panel = _panel(430, span)
    source = ColumnDataSource(candle_columns(result, bars))
    wicks = panel.segment("time", "high", "time", "low", source=source, color="colour")
    bodies = panel.vbar(
        "time", 0.75 * bars.width_ms, "open", "close", source=source, fill_color="colour", line_color="colour"
    )
    prices = [(name, f"@{name}{FIGURE_FORMAT}") for name in COLUMNS]
    panel.add_tools(_hover(bodies, [WHEN, *prices], mode="vline"))
    lines = [
        _line(panel, bars, name, values, LINES[number % len(LINES)])
        for number, (name, values) in enumerate(indicators.items())
    ]
    _fills(panel, result)
    panel.y_range = DataRange1d(range_padding=0.06, renderers=[wicks, *lines])  # a view without fills must not zoom out
    return _finish(panel)


def candle_columns(result: Result, bars: Bars) -> dict[str, Any]:
    """What the candles are drawn from; every column has shape (drawn,)."""
    open_, high, low, close, volume = (result.candles[name].to_numpy() for name in COLUMNS)
    first, last = open_[bars.starts], bars.last(close)
    return {
        "time": bars.times,
        "open": first,
        "high": np.maximum.reduceat(high, bars.starts),
        "low": np.minimum.reduceat(low, bars.starts),
        "close": last,
        "volume": np.add.reduceat(volume, bars.starts),
        "colour": np.where(last >= first, RISING, FALLING),
    }


def _fills(panel: figure, result: Result) -> None:
    fills = result.fills.iloc[-MOST_FILLS:]
    for side, marker, colour in (("buy", "triangle", BOUGHT), ("sell", "inverted_triangle", SOLD)):
        ours = fills[fills["side"] == side]
        data: dict[str, Any] = {name: ours[name].to_numpy() for name in ("side", "quantity", "price", "fee")}
        data["time"] = result.times[result.filled.bar[-MOST_FILLS:]][fills["side"] == side]
        marks = panel.scatter(
            "time",
            "price",
            source=ColumnDataSource(data),
            marker=marker,
            size=11,
            color=colour,
            line_color="white",
            line_width=0.6,
            legend_label=f"{side} fills",
        )
        figures = [(name, f"@{name}{FIGURE_FORMAT}") for name in ("price", "quantity", "fee")]
        panel.add_tools(_hover(marks, [("fill", "@side"), WHEN, *figures], mode="mouse"))


def _line(panel: figure, bars: Bars, name: str, values: Floats, colour: str) -> Any:
    source = ColumnDataSource({"time": bars.line_times, "value": bars.line(bars.last(values))})
    return panel.line("time", "value", source=source, color=colour, line_width=1.4, legend_label=name)


def _indicators(columns: Mapping[str, Floats], bars: Bars, span: Range1d) -> figure:
    panel = _panel(150, span)
    for number, (name, values) in enumerate(columns.items()):
        line = _line(panel, bars, name, values, LINES[number % len(LINES)])
        panel.add_tools(_hover(line, [WHEN, ("value", f"@value{FIGURE_FORMAT}")], mode="vline"))
    return _finish(panel)


def _equity(result: Result, bars: Bars, span: Range1d) -> figure:
    panel = _panel(230, span)
    held = buy_and_hold(result).equity_values
    for name, values, colour in (("equity of buy & hold", held, HELD), ("equity", result.equity_values, OURS)):
        line = _line(panel, bars, name, values, colour)
        panel.add_tools(_hover(line, [WHEN, (name, f"@value{FIGURE_FORMAT}")], mode="vline"))
    return _finish(panel)


def _drawdown(result: Result, bars: Bars, span: Range1d) -> figure:
    panel = _panel(170, span)
    deepest = np.minimum.reduceat(drawdowns(result.equity_values), bars.starts)
    source = ColumnDataSource({"time": bars.line_times, "value": bars.line(deepest)})
    panel.varea("time", 0, "value", source=source, fill_color=SOLD, fill_alpha=0.25)
    line = panel.line("time", "value", source=source, color=SOLD, line_width=1.2, legend_label="drawdown")
    panel.add_tools(_hover(line, [WHEN, ("drawdown", "@value{0.00%}")], mode="vline"))
    panel.yaxis.formatter = NumeralTickFormatter(format="0%")
    return _finish(panel)


def _hover(renderer: Any, tooltips: list[tuple[str, str]], mode: Any) -> HoverTool:
    return HoverTool(renderers=[renderer], tooltips=tooltips, formatters={"@time": "datetime"}, mode=mode)
