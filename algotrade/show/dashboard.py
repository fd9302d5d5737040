"""The live screen: a function of a snapshot that fills whatever terminal there is, from 80 columns by 24 lines on.

For `rich.live.Live(get_renderable=lambda: render(snapshot()))`: the snapshot is made anew for every frame, so ages and
countdowns go on while a fetch hangs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from algotrade.engine.events import OrderFilled
from algotrade.engine.orders import Order
from algotrade.evaluate.snapshot import LiveSnapshot, Signal
from algotrade.market.instrument import Instrument
from algotrade.show import format as fmt
from algotrade.show.chart import Curve, LineChart
from algotrade.show.tables import as_text, left, pairs, right, tinted

STATE_STYLES: Final = {"RUNNING": "bold green", "DEGRADED": "bold yellow", "HALTED": "bold red"}
ACTION_STYLES: Final = {"trade": "cyan", "refused": "red", "stopped": "red"}
HEAD_LINES: Final = 3
ACCOUNT_LINES: Final = 6  # with its title
TABLE_HEAD_LINES: Final = 2  # title and column names
CHART_EDGE_LINES: Final = 2  # title and dates
MESSAGE_LINES: Final = 1
FIXED_LINES: Final = HEAD_LINES + ACCOUNT_LINES + 2 * TABLE_HEAD_LINES + CHART_EDGE_LINES + MESSAGE_LINES


class Lines(NamedTuple):
    """How many lines the parts that can grow get."""

    signals: int
    fills: int
    chart: int  # 0: none, not even its title


def render(snapshot: LiveSnapshot) -> Dashboard:
    """The screen for one moment."""
    return Dashboard(snapshot)


def share_out(height: int) -> Lines:
    """Divide a screen of `height` lines: the chart gets most of what is to spare, and goes first when nothing is."""
    spare = height - FIXED_LINES
    if spare < 6:
        rows = max(2, spare + CHART_EDGE_LINES)
        return Lines(signals=(rows + 1) // 2, fills=rows // 2, chart=0)
    chart = min(12, max(3, spare // 2 - 1))
    return Lines(signals=(spare - chart + 1) // 2, fills=(spare - chart) // 2, chart=chart)


class Dashboard:
    """Renders a snapshot into exactly the lines of the terminal."""

    def __init__(self, snapshot: LiveSnapshot) -> None:
        self.snapshot = snapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        lines = [
            line
            for part, count in self._parts(share_out(height))
            for line in console.render_lines(part, options.update_dimensions(width, count))
        ]
        for number, line in enumerate(lines[:height]):
            if number:
                yield Segment.line()
            yield from line

    def _parts(self, lines: Lines) -> Iterable[tuple[RenderableType, int]]:
        snapshot = self.snapshot
        yield _head(snapshot), HEAD_LINES
        yield (
            beside(
                titled("Account", _account(snapshot)), titled("Metrics so far, at the last close", _metrics(snapshot))
            ),
            ACCOUNT_LINES,
        )
        yield titled("Last signals", _signals(snapshot.signals[-lines.signals :])), TABLE_HEAD_LINES + lines.signals
        fills = titled("Last fills", _fills(snapshot.fills[-lines.fills :]))
        orders = titled("Open orders", _orders(snapshot.open_orders))
        yield beside(fills, orders, first_share=3, second_share=2), TABLE_HEAD_LINES + lines.fills
        if lines.chart:
            line = LineChart(Curve(snapshot.times, snapshot.equity_values), height=lines.chart)
            yield titled("Equity", line), CHART_EDGE_LINES + lines.chart
        yield _message(snapshot), MESSAGE_LINES


def titled(title: str, content: RenderableType) -> Table:
    """A part under a line that carries its title."""
    part = Table.grid(expand=True)
    part.add_row(Rule(Text(title, style="bold"), align="left", style="dim"))
    part.add_row(content)
    return part


def beside(first: RenderableType, second: RenderableType, *, first_share: int = 1, second_share: int = 1) -> Table:
    """Two parts side by side."""
    row = Table.grid(Column(ratio=first_share), Column(ratio=second_share), expand=True, padding=(0, 2, 0, 0))
    row.add_row(first, second)
    return row


def _head(snapshot: LiveSnapshot) -> Group:
    market = fmt.plain(f"{snapshot.exchange} {snapshot.symbol} {snapshot.timeframe}")
    mode = Text(f" {fmt.plain(snapshot.mode)} ", style="black on cyan")
    if snapshot.simulated:
        mode.append(" SIMULATED ", style="black on yellow")
    state = Text(snapshot.state, style=STATE_STYLES.get(snapshot.state, "bold"))
    clock = Text.assemble(
        f"{fmt.time(snapshot.exchange_time)} UTC",
        ("   next bar in ", "dim"),
        fmt.countdown(snapshot.next_bar_s),
        ("   feed ", "dim"),
        f"{fmt.duration(snapshot.feed_age_s)} old",
    )
    strategy = Text(fmt.plain(snapshot.strategy), style="bold")
    strategy.append(f" {fmt.parameters(snapshot.parameters)}", style="not bold")
    return Group(
        _spread(Text.assemble(mode, " ", (market, "bold")), state),
        _spread(strategy, Text(fmt.plain(snapshot.session), style="dim")),
        clock,
    )


def _spread(first: Text, last: Text) -> Table:
    """One line with a text at each end; the first gives way."""
    line = Table.grid(Column(ratio=1, no_wrap=True, overflow="ellipsis"), Column(no_wrap=True), expand=True)
    line.add_row(first, last)
    return line


def _account(snapshot: LiveSnapshot) -> Table:
    market = Instrument(snapshot.symbol)
    return pairs(
        [
            ("Equity", fmt.money(snapshot.equity, market.quote)),
            ("Profit", tinted(fmt.money(snapshot.profit, market.quote, signed=True), snapshot.profit)),
            ("Cash", fmt.money(snapshot.cash, market.quote)),
            ("Position", f"{fmt.quantity(snapshot.position)} {fmt.plain(market.base)}"),
            ("Price", fmt.price(snapshot.price)),
        ]
    )


def _metrics(snapshot: LiveSnapshot) -> Table:
    figures = snapshot.summary
    gain = figures.get("total_return")
    return pairs(
        [
            ("Total return", tinted(fmt.percent(gain, signed=True), gain)),
            ("Sharpe ratio", fmt.number(figures.get("sharpe"))),
            ("Maximum drawdown", fmt.percent(figures.get("max_drawdown"))),
            ("Round trips", fmt.count(figures.get("round_trips"))),
            ("Fees paid", fmt.money(figures.get("fees_paid"))),
        ]
    )


def _signals(signals: Sequence[Signal]) -> RenderableType:
    rows = [
        (
            fmt.time(signal.time),
            fmt.price(signal.close),
            fmt.number(signal.exposure),
            Text(signal.action, style=ACTION_STYLES.get(signal.action, "")),
        )
        for signal in reversed(signals)
    ]
    return _rows([left("bar"), right("close"), right("exposure"), left("action")], rows)


def _fills(fills: Sequence[OrderFilled]) -> RenderableType:
    rows = [
        (
            fmt.time(fill.time)[5:],
            Text("buy", style="green") if fill.side > 0 else Text("sell", style="red"),
            fmt.quantity(fill.quantity),
            fmt.price(fill.price),
            fmt.money(fill.fee),
        )
        for fill in reversed(fills)
    ]
    return _rows([left("time"), left("side"), right("quantity"), right("price"), right("fee")], rows)


def _orders(orders: Sequence[Order]) -> RenderableType:
    rows = [(fmt.time(order.time)[5:], _wish(order)) for order in reversed(orders)]
    return _rows([left("decided at"), left("order")], rows)


def _wish(order: Order) -> str:
    """What an order asks for: "target 1.00", "buy 0.5", "sell for 1,000.00"."""
    if order.exposure is not None:
        return f"target {fmt.number(order.exposure)}"
    side = "buy" if order.side > 0 else "sell"
    return (
        f"{side} {fmt.quantity(order.quantity)}"
        if order.notional is None
        else f"{side} for {fmt.money(order.notional)}"
    )


def _rows(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> RenderableType:
    if not rows:
        return Text("none", style="dim")
    grid = Table(*columns, box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for row in rows:
        grid.add_row(*map(as_text, row))
    return grid


def _message(snapshot: LiveSnapshot) -> Text:
    """The last line: what happened, or how to leave."""
    said = fmt.plain(snapshot.message) or "Ctrl-C stops the session and keeps it"
    text = Text(said, style="" if snapshot.message else "dim", no_wrap=True, overflow="ellipsis")
    if snapshot.retry_in_s is None:
        return text
    again = Text(f"trying again in {fmt.countdown(snapshot.retry_in_s)}  ", style="yellow", no_wrap=True)
    return again.append_text(text)
