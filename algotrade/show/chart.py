"""A line chart of text: braille dots where the terminal has them, stars where it is plain ASCII."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from algotrade.market.candles import Floats, Times
from algotrade.show import format as fmt

DOTS_ACROSS: Final = 2  # a braille character is two dots wide and four high
DOTS_DOWN: Final = 4
BRAILLE_BITS: Final = np.array([[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]], np.int64)
BRAILLE_BLANK: Final = 0x2800
WIDEST: Final = 120  # columns; a longer line says no more

Band = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]  # lowest and highest dot of each column, 0 at the bottom


class Curve(NamedTuple):
    """Values over time: `times` in milliseconds and `values`, both of shape (n,)."""

    times: Times
    values: Floats


class LineChart:
    """A renderable of `height` lines, the largest and smallest value at its left, the first and last time beneath."""

    def __init__(
        self, curve: Curve, *, height: int = 7, label: Callable[[float], str] = fmt.money, style: str = "cyan"
    ) -> None:
        finite = np.isfinite(curve.values)
        self.curve = Curve(curve.times[finite], curve.values[finite])
        self.height = height
        self.label = label
        self.style = style

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = min(WIDEST, console.width, options.max_width)
        return Measurement(min(40, widest), widest)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        times, values = self.curve
        if len(values) < 2:
            yield Text("no line to draw yet: fewer than two points", style="dim")
            return
        top, bottom = self.label(float(values.max())), self.label(float(values.min()))
        margin = max(len(top), len(bottom))
        columns = max(8, min(WIDEST, console.width, options.max_width) - margin - 2)
        draw = ascii_lines if options.ascii_only else braille_lines
        edge = "|" if options.ascii_only else "│"
        for row, line in enumerate(draw(values, columns, self.height)):
            label = top if row == 0 else bottom if row == self.height - 1 else ""
            yield Text.assemble((f"{label:>{margin}} {edge}", "dim"), (line, self.style))
        first, last = fmt.times([int(times[0]), int(times[-1])])
        yield Text(f"{'':{margin + 2}}{first}{last:>{max(1, columns - len(first))}}", style="dim")


def braille_lines(values: Floats, columns: int, rows: int) -> list[str]:
    """The line as `rows` strings of `columns` braille characters, topmost first."""
    low, high = bands(values, columns * DOTS_ACROSS, rows * DOTS_DOWN)
    height = np.arange(rows * DOTS_DOWN)[::-1, None]
    dots = (height >= low) & (height <= high)
    cells = dots.reshape(rows, DOTS_DOWN, columns, DOTS_ACROSS)
    codes = BRAILLE_BLANK + np.einsum("rdca,ad->rc", cells.astype(np.int64), BRAILLE_BITS)
    return ["".join(map(chr, row)) for row in codes]


def ascii_lines(values: Floats, columns: int, rows: int) -> list[str]:
    """The line as `rows` strings of `columns` characters that any terminal has, topmost first."""
    low, high = bands(values, columns, rows)
    height = np.arange(rows)[::-1, None]
    return ["".join("*" if drawn else " " for drawn in row) for row in (height >= low) & (height <= high)]


def bands(values: Floats, columns: int, rows: int) -> Band:
    """Which dots of each column the line covers, so that no peak is lost and no column stands apart.

    Args:
        values: finite, shape (n,), at least one.
        columns: dots across.
        rows: dots down.
    """
    if len(values) < columns:
        values = np.interp(np.linspace(0, len(values) - 1, columns), np.arange(len(values)), values)
    scaled = _rows_of(values, rows)
    starts = np.linspace(0, len(scaled), columns, endpoint=False).astype(np.int64)
    low, high = np.minimum.reduceat(scaled, starts), np.maximum.reduceat(scaled, starts)
    joined_low, joined_high = low.copy(), high.copy()
    joined_low[1:] = np.minimum(low[1:], high[:-1] + 1)
    joined_high[1:] = np.maximum(high[1:], low[:-1] - 1)
    return joined_low, joined_high


def _rows_of(values: Floats, rows: int) -> npt.NDArray[np.int64]:
    lowest, highest = float(values.min()), float(values.max())
    if highest == lowest:
        return np.full(len(values), rows // 2, np.int64)
    return np.rint((values - lowest) / (highest - lowest) * (rows - 1)).astype(np.int64)
