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
        named = len(snapshot.holdings) > 1
        if named:
            yield titled("Positions", _holdings(snapshot)), TABLE_HEAD_LINES + lines.signals
        else:
            signals = _signals(snapshot.signals[-lines.signals :])
            yield titled("Last signals", signals), TABLE_HEAD_LINES + lines.signals
        fills = titled("Last fills", _fills(snapshot.fills[-lines.fills :], named=named))
        orders = titled("Open orders", _orders(snapshot.open_orders, named=named))
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
    market = fmt.plain(f"{snapshot.exchange} {' '.join(snapshot.symbols)} {snapshot.timeframe}")
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
    strategies = Text()
    for chosen in snapshot.strategies:
        strategies.append("  " if strategies else "")
        strategies.append(fmt.plain(chosen.name), style="bold")
        strategies.append(f" {fmt.parameters(chosen.parameters)}", style="not bold")
    return Group(
        _spread(Text.assemble(mode, " ", (market, "bold")), state),
        _spread(strategies, Text(fmt.plain(snapshot.session), style="dim")),
        clock,
    )


def _spread(first: Text, last: Text) -> Table:
    """One line with a text at each end; the first gives way."""
    line = Table.grid(Column(ratio=1, no_wrap=True, overflow="ellipsis"), Column(no_wrap=True), expand=True)
    line.add_row(first, last)
    return line


def _account(snapshot: LiveSnapshot) -> Table:
    quote = Instrument(snapshot.symbols[0]).quote
    rows: list[tuple[str, str | Text]] = [
        ("Equity", fmt.money(snapshot.equity, quote)),
        ("Profit", tinted(fmt.money(snapshot.profit, quote, signed=True), snapshot.profit)),
        ("Cash", fmt.money(snapshot.cash, quote)),
    ]
    if len(snapshot.holdings) != 1:
        held = sum(holding.quantity != 0.0 for holding in snapshot.holdings)
        return pairs([*rows, ("Positions", f"{held} of {len(snapshot.holdings)}")])
    (holding,) = snapshot.holdings
    base = fmt.plain(Instrument(holding.symbol).base)
    return pairs([*rows, ("Position", f"{fmt.quantity(holding.quantity)} {base}"), ("Price", fmt.price(holding.price))])


def _holdings(snapshot: LiveSnapshot) -> RenderableType:
    """What is held, the largest first, with what was last done about it; symbols that are flat come behind."""
    last = {(signal.symbol, signal.book): signal for signal in snapshot.signals}
    several = len(snapshot.strategies) > 1
    rows = []
    for each in sorted(snapshot.holdings, key=lambda held: -abs(held.quantity * held.price) if held.quantity else 0.0):
        signal = last.get((each.symbol, each.book))
        rows.append(
            (
                fmt.plain(each.symbol),
                fmt.plain(each.book) if several else fmt.price(each.entry_price) if each.quantity else "",
                fmt.quantity(each.quantity),
                fmt.price(each.price),
                tinted(fmt.money(each.profit, signed=True), each.profit) if each.quantity else "",
                _action(signal) if signal else "",
            )
        )
    second = left("strategy") if several else right("entry")
    return _rows([left("symbol"), second, right("quantity"), right("price"), right("profit"), left("last")], rows)


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
            _action(signal),
        )
        for signal in reversed(signals)
    ]
    return _rows([left("bar"), right("close"), right("exposure"), left("action")], rows)


def _action(signal: Signal) -> Text:
    """What was done, and where it was refused, why."""
    said = f"{signal.action} {signal.detail}".strip()
    return Text(fmt.plain(said), style=ACTION_STYLES.get(signal.action, ""))


def _fills(fills: Sequence[OrderFilled], *, named: bool) -> RenderableType:
    rows = [
        (
            fmt.time(fill.time)[5:],
            Text("buy", style="green") if fill.side > 0 else Text("sell", style="red"),
            fmt.quantity(fill.quantity),
            fmt.price(fill.price),
            _base(fill.symbol) if named else fmt.money(fill.fee),
        )
        for fill in reversed(fills)
    ]
    last = left("of") if named else right("fee")
    return _rows([left("time"), left("side"), right("quantity"), right("price"), last], rows)


def _base(symbol: str) -> str:
    """A market as short as it can be told."""
    return fmt.plain(Instrument(symbol).base)


def _orders(orders: Sequence[Order], *, named: bool) -> RenderableType:
    rows = [
        (fmt.time(order.time)[11:], f"{_base(order.symbol)} {_wish(order)}" if named else _wish(order))
        for order in reversed(orders)
    ]
    return _rows([left("since"), left("order")], rows)


def _wish(order: Order) -> str:
    """What an order asks for and where: "target 1.00", "buy 0.5 limit 99.00", "sell all trail 5.00%"."""
    return " ".join(filter(None, (_size(order), _level(order))))


def _size(order: Order) -> str:
    side = {1: "buy ", -1: "sell "}.get(order.side, "")
    if order.exposure is not None:
        return f"target {fmt.number(order.exposure)}"
    if order.quantity is not None:
        return f"{side}{fmt.quantity(order.quantity)}"
    if order.notional is not None:
        return f"{side}for {fmt.money(order.notional)}"
    if order.target_quantity is not None:
        return f"target {fmt.quantity(order.target_quantity)}"
    if order.target_notional is not None:
        return f"target for {fmt.money(order.target_notional)}"
    return f"{side}all"  # of a bracket: whatever the position is


def _level(order: Order) -> str:
    levels = [
        f"stop {fmt.price(order.stop)}" if order.stop is not None else "",
        f"limit {fmt.price(order.limit)}" if order.limit is not None else "",
        f"trail {fmt.percent(order.trail)}" if order.trail is not None else "",
        f"trail {fmt.price(order.trail_amount)}" if order.trail_amount is not None else "",
        "after bars" if order.after_bars else "",
    ]
    return " ".join(filter(None, levels))


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
