"""The panels of the report, drawn with bokeh: price with fills and indicators, equity, drawdown, one time axis.

Imported only when a report is written, because bokeh takes most of a second to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import ColumnDataSource, CrosshairTool, DataRange1d, LayoutDOM, NumeralTickFormatter, Range1d
from bokeh.models.annotations import Span, Title
from bokeh.plotting import figure

from algotrade.errors import FixData
from algotrade.evaluate.executions import Fills
from algotrade.evaluate.metrics import drawdowns
from algotrade.evaluate.portfolio import Outcome, PortfolioResult
from algotrade.evaluate.result import Result
from algotrade.market.candles import COLUMNS, Floats
from algotrade.show import format as fmt
from algotrade.show.panels import (
    FIGURE_FORMAT,
    INK,
    LINES,
    MOST_CANDLES,
    WHEN,
    Bars,
    draw_line,
    empty_panel,
    finished,
    group_bars,
    hovering,
    span_of,
)

MOST_FILLS: Final = 10_000
MOST_SYMBOLS: Final = 12  # of a portfolio that are drawn
NOT_INDICATORS: Final = frozenset(
    {*COLUMNS, "signal", "stop_loss", "take_profit", "trailing_stop", "trailing_activation", "max_bars"}
)
ON_PRICE_SCALE: Final = (0.5, 2.0)  # an indicator that stays between these multiples of the close belongs to the price
SAME_SCALE: Final = 5.0  # other indicators share a panel up to this ratio of their largest values

RISING: Final = "#5f9f8f"
FALLING: Final = "#b8706c"
BOUGHT: Final = "#12a150"
SOLD: Final = "#e0313b"
OURS: Final = "#3b82c4"
HELD: Final = "#9a9a9a"


class Drawing(NamedTuple):
    """The panels, and what a reader must know about how they were drawn."""

    layout: LayoutDOM
    notes: list[str]


def draw(result: Outcome) -> Drawing:
    """All panels of a run, the newest bar at the right, their time axes moving together.

    Raises:
        FixData: the run has no bars.
    """
    if not len(result.times):
        raise FixData("there is nothing to draw: the run has no bars")
    bars = group_bars(result.times, result.timeframe)
    span = span_of(bars)
    if isinstance(result, PortfolioResult):
        figures, notes = _markets(result, span)
    else:
        on_price, panels = sort_indicators(result)
        figures, notes = [_price(result, bars, on_price, span)], _notes(result, bars)
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
    return Drawing(layout, notes)


def _markets(portfolio: PortfolioResult, span: Range1d) -> tuple[list[figure], list[str]]:
    """A panel of candles with the fills of all strategies for each symbol, and what must be known of them."""
    symbols = list(dict.fromkeys(part.symbol for part in portfolio.parts))
    drawn = symbols[:MOST_SYMBOLS]
    figures, notes = [], []
    for symbol in drawn:
        results = [part.result for part in portfolio.parts if part.symbol == symbol]
        columns = (np.concatenate(column) for column in zip(*(result.filled for result in results), strict=True))
        filled = Fills._make(columns)
        market = replace(results[0], filled=filled.only(np.argsort(filled.bar, kind="stable")), signals=None)
        bars = group_bars(market.times, market.timeframe, MOST_CANDLES // len(drawn))
        panel = _price(market, bars, {}, span, height=260)
        panel.add_layout(Title(text=fmt.plain(symbol), text_color=INK), "above")
        figures.append(panel)
        notes += [f"{fmt.plain(symbol)}: {note}" for note in _notes(market, bars)]
    if len(drawn) < len(symbols):
        notes.append(f"Drawn are the first {len(drawn)} of {len(symbols)} symbols; the figures are of all.")
    return figures, notes


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


def _price(result: Result, bars: Bars, indicators: Mapping[str, Floats], span: Range1d, *, height: int = 430) -> figure:
    panel = empty_panel(height, span)
    source = ColumnDataSource(candle_columns(result, bars))
    wicks = panel.segment("time", "high", "time", "low", source=source, color="colour")
    bodies = panel.vbar(
        "time", 0.75 * bars.width_ms, "open", "close", source=source, fill_color="colour", line_color="colour"
    )
    prices = [(name, f"@{name}{FIGURE_FORMAT}") for name in COLUMNS]
    panel.add_tools(hovering(bodies, [WHEN, *prices], mode="vline"))
    lines = [
        draw_line(panel, bars, name, values, LINES[number % len(LINES)])
        for number, (name, values) in enumerate(indicators.items())
    ]
    _fills(panel, result)
    panel.y_range = DataRange1d(range_padding=0.06, renderers=[wicks, *lines])  # a view without fills must not zoom out
    return finished(panel)


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
    times = (result.times[result.filled.bar] + result.filled.after_ms)[-MOST_FILLS:]
    for side, marker, colour in (("buy", "triangle", BOUGHT), ("sell", "inverted_triangle", SOLD)):
        ours = fills[fills["side"] == side]
        data: dict[str, Any] = {name: ours[name].to_numpy() for name in ("side", "quantity", "price", "fee", "reason")}
        data["time"] = times[fills["side"] == side]
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
        panel.add_tools(hovering(marks, [("fill", "@side, @reason"), WHEN, *figures], mode="mouse"))


def _indicators(columns: Mapping[str, Floats], bars: Bars, span: Range1d) -> figure:
    panel = empty_panel(150, span)
    for number, (name, values) in enumerate(columns.items()):
        line = draw_line(panel, bars, name, values, LINES[number % len(LINES)])
        panel.add_tools(hovering(line, [WHEN, ("value", f"@value{FIGURE_FORMAT}")], mode="vline"))
    return finished(panel)


def _equity(result: Outcome, bars: Bars, span: Range1d) -> figure:
    panel = empty_panel(230, span)
    held = result.held.equity_values
    for name, values, colour in (("equity of buy & hold", held, HELD), ("equity", result.equity_values, OURS)):
        line = draw_line(panel, bars, name, values, colour)
        panel.add_tools(hovering(line, [WHEN, (name, f"@value{FIGURE_FORMAT}")], mode="vline"))
    return finished(panel)


def _drawdown(result: Outcome, bars: Bars, span: Range1d) -> figure:
    panel = empty_panel(170, span)
    deepest = np.minimum.reduceat(drawdowns(result.equity_values), bars.starts)
    source = ColumnDataSource({"time": bars.line_times, "value": bars.line(deepest)})
    panel.varea("time", 0, "value", source=source, fill_color=SOLD, fill_alpha=0.25)
    line = panel.line("time", "value", source=source, color=SOLD, line_width=1.2, legend_label="drawdown")
    panel.add_tools(hovering(line, [WHEN, ("drawdown", "@value{0.00%}")], mode="vline"))
    panel.yaxis.formatter = NumeralTickFormatter(format="0%")
    return finished(panel)
