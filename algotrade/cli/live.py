"""`algotrade live`: trade on paper, with a screen in a terminal and log lines elsewhere."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algotrade.cli import options
from algotrade.cli.invocation import Invocation, invocation_of
from algotrade.errors import ExitCode

if TYPE_CHECKING:
    from algotrade.cli.output import Output
    from algotrade.config import Settings
    from algotrade.live.launch import Launched, Place
    from algotrade.live.plan import SessionPlan
    from algotrade.live.status import Status
    from algotrade.live.trader import Trader, Update
    from algotrade.strategy.base import Strategy

app = typer.Typer(add_completion=False, rich_help_panel="Trade")
SCHEMA: Final = "algotrade.live/1"
LOG: Final = logging.getLogger("algotrade.live")
FRAMES_PER_SECOND: Final = 4
TROUBLED: Final = ("DEGRADED", "HALTED")
SIGNALS: Final = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@app.command()
def live(
    context: typer.Context,
    symbol: options.SymbolOption = None,
    strategy: options.StrategyOption = None,
    param: options.ParamOption = None,
    timeframe: options.TimeframeOption = None,
    exchange: options.ExchangeOption = None,
    cash: options.CashOption = None,
    fee: options.FeeOption = None,
    slippage: options.SlippageOption = None,
    allow_short: options.ShortOption = False,
    leverage: options.LeverageOption = 1.0,
    rebalance_band: options.RebalanceBandOption = 0.0,
    start: Annotated[str | None, typer.Option("--start", help="Begin with the bar of this moment, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="End with the last bar closed by then, UTC.")] = None,
    bars: Annotated[int | None, typer.Option("--bars", min=1, help="End after so many bars.")] = None,
    speed: Annotated[float, typer.Option("--speed", help="Market seconds in a second; demo exchange only.")] = 1.0,
    source: Annotated[
        str, typer.Option("--source", help="`candles`, or `ticker`: build them from prices.")
    ] = "candles",
    every: Annotated[str | None, typer.Option("--every", help='How often to ask, "1s"; else by the timeframe.')] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew instead of resuming.")] = False,
) -> None:
    """Trade on paper: real prices, simulated fills, no order leaves this machine.

    The same command resumes the session where it stopped, however it stopped. Ctrl-C once stops cleanly.

    [bold]Examples[/bold]
      algotrade live --cash 10000
      algotrade live --exchange demo --speed 60
      algotrade live --symbol ETH/USD --timeframe 5m --strategy donchian_breakout
      algotrade live --exchange demo --speed 600 --start 2024-01-01 --bars 200
    """
    from algotrade.live.clock import system_clock
    from algotrade.live.launch import Place
    from algotrade.store.database import open_database

    invocation = invocation_of(context)
    flags = {"exchange": exchange, "symbol": symbol, "timeframe": timeframe, "strategy": strategy, "cash": cash}
    flags |= {"fee": fee, "slippage": slippage}
    settings = invocation.settings({f"defaults.{name}": value for name, value in flags.items()})
    options.check_leverage(leverage, "live")
    options.check_rebalance_band(rebalance_band, "live")
    chosen = options.named_strategy(settings.defaults.strategy, param, settings)
    began = options.typed_span(start, None, "algotrade live --exchange demo --start 2024-01-01").start
    ends = options.typed_span(None, until, "algotrade live --until 2030-12-31").end
    bounds = {"start": began, "until": ends, "bars": bars}
    _check(settings, source=source, speed=speed, bounds=bounds)
    with open_database(settings.database) as database:
        place = Place(settings, database, system_clock)
        plan = _plan(
            chosen,
            settings,
            invocation,
            source=source,
            speed=speed,
            leverage=leverage,
            rebalance_band=rebalance_band,
            short=allow_short,
            fresh=fresh,
            **bounds,
        )
        pause = _pause(plan, every, settings)
        session = _Session(plan, chosen, place, invocation)
        try:
            asyncio.run(session.run(pause, fresh=fresh))
        except _EndedAtOnce:
            invocation.output.note("ended at once by a second signal")
    if session.code:
        raise typer.Exit(session.code)


def _check(settings: Settings, *, source: str, speed: float, bounds: dict[str, int | None]) -> None:
    from algotrade.errors import FixCommand, did_you_mean
    from algotrade.exchange.base import DEMO
    from algotrade.live.plan import SOURCES

    if source not in SOURCES:
        raise FixCommand(f"--source is candles or ticker, given '{source}'.{did_you_mean(source, SOURCES)}")
    if not speed > 0 or speed > 1_000_000:
        raise FixCommand(f"--speed is a positive number of at most a million, given {speed}")
    if speed != 1.0 and settings.defaults.exchange != DEMO:
        raise FixCommand(
            f"only the demo exchange runs faster than the clock, given --speed {speed:g}",
            hint=f"algotrade live --exchange demo --speed {speed:g}",
        )
    first, last = bounds["start"], bounds["until"]
    if first is not None and last is not None and last < first:
        raise FixCommand("--until lies before --start")


def _plan(strategy: Strategy, settings: Settings, invocation: Invocation, **given: Any) -> SessionPlan:
    """What was asked for. Without an exchange: that of the unfinished session of such a plan, else one in reach."""
    from algotrade.exchange.base import DEFAULT_EXCHANGE, DEMO
    from algotrade.live.launch import plan_to_resume
    from algotrade.live.plan import SessionPlan
    from algotrade.strategy.signals import Bounds

    defaults = settings.defaults
    plan = SessionPlan(
        exchange=defaults.exchange or DEFAULT_EXCHANGE,
        symbol=defaults.symbol,
        timeframe=defaults.timeframe or "1m",
        strategy=strategy.name(),
        parameters=dict(strategy.values),
        cash=defaults.cash,
        fee_rate=defaults.fee,
        slippage_rate=defaults.slippage,
        bounds=Bounds(given["leverage"], given["short"]),
        limits=options.risk_limits(settings),
        source=given["source"],
        start=given["start"],
        until=given["until"],
        bars=given["bars"],
        speed=given["speed"],
        rebalance_band=given["rebalance_band"],
    )
    if defaults.exchange is not None:
        return plan
    unfinished = None if given["fresh"] else plan_to_resume([plan, plan._replace(exchange=DEMO)], settings)
    return unfinished or plan._replace(exchange=_exchange_in_reach(settings, invocation))


def _exchange_in_reach(settings: Settings, invocation: Invocation) -> str:
    """Kraken; the demo exchange, saying so, where no exchange was named and kraken cannot be reached."""
    from algotrade.exchange.base import DEFAULT_EXCHANGE, DEMO
    from algotrade.ingest.on_demand import REACH_S
    from algotrade.live.launch import reachable
    from algotrade.market.simulate import SYMBOLS

    error = asyncio.run(reachable(DEFAULT_EXCHANGE, settings.defaults.symbol, settings, within_s=REACH_S))
    if error is None:
        return DEFAULT_EXCHANGE
    if settings.defaults.symbol not in SYMBOLS:
        raise error
    invocation.output.note(f"{error.message}: trading on the SIMULATED market of the demo exchange")
    return DEMO


def _pause(plan: SessionPlan, every: str | None, settings: Settings) -> float:
    """Seconds between two questions to the exchange: as given, else a tenth of a bar, at most [live] poll_seconds."""
    from algotrade.errors import FixCommand
    from algotrade.live.plan import TICKER
    from algotrade.market.timeframe import timeframe_ms

    bar_s = timeframe_ms(plan.timeframe) / 1000 / plan.speed
    pause = max(0.05, min(settings.live.poll_seconds, bar_s / 10))
    if every is not None:
        pause = timeframe_ms(every) / 1000
    if plan.source == TICKER and pause > bar_s / 4:
        raise FixCommand(
            f"a candle of {plan.timeframe} needs four prices at least, one every {pause:g} s is too few",
            hint="algotrade live --source ticker --every 1s",
        )
    return pause


class _EndedAtOnce(KeyboardInterrupt):
    """The second signal. A strategy's own code cannot catch it by accident, nor is it taken for that code's exit."""


class _Session:
    """One run of the command: the trader, who watches it, and the signals that end it."""

    def __init__(self, plan: SessionPlan, strategy: Strategy, place: Place, invocation: Invocation) -> None:
        self.plan = plan
        self.strategy = strategy
        self.place = place
        self.output = invocation.output
        self.code = ExitCode.DONE
        self.status: Status | None = None
        self.prefix = ""

    async def run(self, pause_s: float, *, fresh: bool) -> None:
        """Trade to the end; afterwards `code` is the exit code."""
        from algotrade.live.clock import jitter
        from algotrade.live.launch import launched
        from algotrade.live.status import Status
        from algotrade.live.trader import Pace, Trader

        async with launched(self.plan, self.strategy, self.place, fresh=fresh) as launch:
            self._say_beginning(launch)
            if self._on_screen:
                self.status = Status(launch.opened, self.place.wall)
            trader = Trader(launch, Pace(pause_s, jitter), self._hear)
            with self._stopped_by_signals(trader), self._screen():
                await trader.run(self.place.wall)
            self._say_end(launch)

    @contextmanager
    def _stopped_by_signals(self, trader: Trader) -> Iterator[None]:
        """The first signal asks the trader to stop; the next one ends it wherever it is, even in a strategy's loop.

        The journal is whole either way: what it holds is written in transactions.
        """
        loop = asyncio.get_running_loop()

        def stop(number: int, frame: FrameType | None) -> None:
            if self.code is not ExitCode.DONE:
                raise _EndedAtOnce
            self.code = SIGNALS[signal.Signals(number)]
            loop.call_soon_threadsafe(trader.stop)

        before = {number: signal.signal(number, stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, update: Update) -> None:
        if self.status is not None:
            self.status.hear(update)
        elif self.output.json:
            _print_records(update, self.output)
        else:
            _log(update, self.prefix)

    @property
    def _on_screen(self) -> bool:
        return self.output.stdout.isatty() and not self.output.json and not self.output.quiet

    def _screen(self) -> AbstractContextManager[Any]:
        """The live screen in a terminal; nothing elsewhere. It is drawn by a thread of its own."""
        if self.status is None:
            return nullcontext()
        from rich.live import Live

        from algotrade.show.dashboard import render

        status = self.status
        return Live(
            get_renderable=lambda: render(status.snapshot()),
            console=self.output.console,
            refresh_per_second=FRAMES_PER_SECOND,
            screen=True,
        )

    def _say_beginning(self, launch: Launched) -> None:
        from algotrade.live.begin import describe_beginning, describe_unproven
        from algotrade.live.lines import prefix_of
        from algotrade.live.sessions import find_similar

        header = launch.opened.journal.header
        self.prefix = prefix_of(self.plan, simulated=header["simulated"])
        what = f"resumes after {launch.opened.bars} bars" if launch.resumed else describe_beginning(header)
        self.output.note(f"session {launch.opened.id} {what}")
        similar = None if launch.resumed else find_similar(self.place.settings.sessions_folder, self.plan)
        if similar:
            self.output.note(f"session {similar} is unfinished too; only the very command that began it resumes it")
        for sentence in describe_unproven(self.strategy, header):
            self.output.note(f"warning: {sentence}")
        if self.output.json:
            known = {"session": launch.opened.id, "resumed": launch.resumed, "bars": launch.opened.bars}
            document = {"event": "session", **known, "simulated": header["simulated"]}
            self.output.document_line(SCHEMA, document)

    def _say_end(self, launch: Launched) -> None:
        from algotrade.live.remarks import sentence_on_stop
        from algotrade.show.format import money

        opened = launch.opened
        if opened.halted is not None:
            self.output.note(sentence_on_stop(opened.halted))
        self.output.note(
            f"session {opened.id}: {opened.bars} bars, equity {money(opened.simulation.engine.account.equity())};"
            f" algotrade evaluate {opened.id}, algotrade replay {opened.id}"
        )


def _print_records(update: Update, output: Output) -> None:
    """One JSON object a line for every record and every note."""
    from algotrade.engine.records import encode, name_of

    for record in update.records:
        output.document_line(SCHEMA, {"event": name_of(record), **encode(record)})
    if update.note:
        output.document_line(SCHEMA, {"event": "note", "state": update.state, "message": update.note})


def _log(update: Update, where: str) -> None:
    """A line for every closed candle, fill, refusal and note."""
    from algotrade.live.lines import lines_of

    for text in lines_of(update.records):
        LOG.info("%s %s", where, text)
    if update.note:
        level = logging.WARNING if update.state in TROUBLED else logging.INFO
        LOG.log(level, "%s %s %s", where, update.state, update.note)
