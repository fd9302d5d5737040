from __future__ import annotations

import math
import statistics

import pytest

from algotrade.engine.account import Account
from algotrade.engine.book import Book
from algotrade.engine.events import CandleClosed, Emitted, Event, OrderFilled, TimerStruck, TradePrinted
from algotrade.engine.requests import CancelRequest, OrderRequest, Request, TargetRequest
from algotrade.errors import FixCommand, FixStrategy, Terminated
from algotrade.strategy.base import Bounds, Strategy, on, own_errors, param

BTC = "BTC/USD"
CANDLE = CandleClosed(BTC, 0, 1.0, 2.0, 0.5, 1.5, 10.0)
TRADE = TradePrinted(BTC, 1, 1.5, 2.0, +1)
FILL = OrderFilled("id", BTC, 2, +1, 1.0, 1.5, 0.0)
TIMER = TimerStruck("1h", 3)
TOLD = Emitted("breakout", 4, 1.5)


def account() -> Account:
    """100 of cash, and two coins bought at 1.25 that are now worth 1.5 each."""
    held = Account(102.5, [BTC])
    held.apply(OrderFilled("earlier", BTC, 0, +1, 2.0, 1.25, 0.0))
    held.mark(BTC, 1.5)
    return held


def shown(strategy: Strategy, event: Event | Emitted = CANDLE) -> list[Request]:
    """What a strategy asks for in answer to an event."""
    strategy.begin(BTC, strategy.warmup, timeframe="1h")
    return list(strategy.handle(event, Book(strategy, account()).view))


class Diary(Strategy):
    """Writes down what it sees.

    And keeps it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    @on("candles")
    def on_candle(self, candle: CandleClosed) -> None:
        self.seen.append("candle")

    @on("trades")
    def on_trade(self, trade: TradePrinted) -> None:
        self.seen.append("trade")

    @on("fills")
    def on_fill(self, fill: OrderFilled) -> None:
        self.seen.append("fill")

    @on("timer:1h")
    def on_timer(self, timer: TimerStruck) -> None:
        self.seen.append("timer")

    @on("breakout")
    def on_breakout(self, told: Emitted) -> None:
        self.seen.append("breakout")

    def unmarked(self, candle: CandleClosed) -> None:
        raise AssertionError


def test_a_marked_method_is_called_with_its_kind_of_event_and_no_other() -> None:
    diary = Diary()
    events = ((CANDLE, "candle"), (TRADE, "trade"), (FILL, "fill"), (TIMER, "timer"), (TOLD, "breakout"))
    for event, kind in events:
        diary.seen.clear()
        assert shown(diary, event) == []
        assert diary.seen == [kind]


def test_methods_of_one_event_run_in_the_order_of_their_names_and_a_method_may_have_two_marks() -> None:
    class Three(Strategy):
        @on("candles")
        @on("timer:1h")
        def c_last(self, event: Event) -> None:
            self.buy(quantity=3)

        @on("candles")
        def a_first(self, candle: CandleClosed) -> None:
            self.buy(quantity=1)

        @on("candles")
        def b_second(self, candle: CandleClosed) -> None:
            self.buy(quantity=2)

    assert [request.quantity for request in shown(Three()) if isinstance(request, OrderRequest)] == [1, 2, 3]
    assert len(shown(Three(), TIMER)) == 1


def test_a_subclass_inherits_the_marked_methods_and_adds_its_own() -> None:
    class Longer(Diary):
        @on("candles")
        def z_too(self, candle: CandleClosed) -> None:
            self.seen.append("too")

    longer = Longer()
    shown(longer)
    assert longer.seen == ["candle", "too"]
    assert "z_too" not in str(Diary.handlers)


def test_requests_are_given_in_the_order_in_which_they_were_made() -> None:
    class Everything(Strategy):
        bounds = Bounds(leverage=2.0, allow_short=True)

        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.made = [
                self.buy(quantity=2),
                self.buy(notional=50),
                self.sell(quantity=1),
                self.sell(notional=20),
            ]
            self.target(exposure=-2)
            self.cancel("id")

    everything = Everything()
    for _ in range(2):  # nothing is left over from the bar before
        assert shown(everything) == [
            OrderRequest(BTC, +1, 2, None, everything.made[0]),
            OrderRequest(BTC, +1, None, 50, everything.made[1]),
            OrderRequest(BTC, -1, 1, None, everything.made[2]),
            OrderRequest(BTC, -1, None, 20, everything.made[3]),
            TargetRequest(BTC, -2.0),
            CancelRequest("id"),
        ]


def test_a_strategy_knows_its_account_while_it_decides() -> None:
    class Looks(Strategy):
        @on("candles")
        def look(self, candle: CandleClosed) -> None:
            assert (self.cash, self.position, self.equity, self.entry_price) == (100.0, 2.0, 103.0, 1.25)
            assert self.position_of(BTC) == 2.0
            self.sell(quantity=self.position)

    assert shown(Looks()) == [OrderRequest(BTC, -1, 2.0, None, f"{BTC}@0#1")]
    assert math.isnan(Looks().cash)
    assert Looks().position == 0.0


class Aims(Strategy):
    exposure: float = 0.0

    @on("candles")
    def act(self, candle: CandleClosed) -> None:
        self.target(exposure=self.exposure)


@pytest.mark.parametrize("exposure", [1.01, -1.01, 2.0])
def test_a_target_outside_the_leverage_is_the_strategys_error(exposure: float) -> None:
    with pytest.raises(FixStrategy, match=r"outside the leverage of 1\.0"):
        shown(Aims(exposure=exposure))


def test_a_target_that_is_no_number_is_the_strategys_error() -> None:
    strategy = Aims()
    strategy.exposure = math.nan
    with pytest.raises(FixStrategy, match="must be a finite number, given nan"):
        shown(strategy)


def test_a_short_target_needs_a_market_that_can_short() -> None:
    with pytest.raises(FixCommand, match="--allow-short") as error:
        shown(Aims(exposure=-0.5))
    assert error.value.hint == "algotrade backtest --strategy aims --allow-short"
    strategy = Aims(exposure=-0.5)
    strategy.bounds = Bounds(allow_short=True)
    assert shown(strategy) == [TargetRequest(BTC, -0.5)]


def test_within_the_bounds_anything_may_be_aimed_at() -> None:
    assert shown(Aims(exposure=1.0)) == [TargetRequest(BTC, 1.0)]
    strategy = Aims(exposure=3.0)
    strategy.bounds = Bounds(leverage=3.0)
    assert shown(strategy) == [TargetRequest(BTC, 3.0)]


def test_an_error_of_a_strategy_shows_the_strategys_own_line() -> None:
    class Divides(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.buy(quantity=1 / 0)

    with pytest.raises(FixStrategy) as error:
        shown(Divides())
    assert "divides raised ZeroDivisionError" in error.value.message
    assert "(test_base.py line" in error.value.message
    assert "self.buy(quantity=1 / 0)" in error.value.message


def test_the_line_shown_is_the_strategys_even_when_a_library_raised_deeper() -> None:
    class Averages(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            statistics.mean([])

    class Looks(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.candles()["closed"]

    for strategy, line in ((Averages(), "statistics.mean([])"), (Looks(), 'self.candles()["closed"]')):
        with pytest.raises(FixStrategy) as error:
            shown(strategy)
        assert f": {line})" in error.value.message


def test_the_requests_of_a_strategy_that_raises_are_not_sent() -> None:
    class Half(Strategy):
        @on("candles")
        def act(self, candle: CandleClosed) -> None:
            self.buy(quantity=1)
            raise RuntimeError("in the middle")

    half = Half()
    with pytest.raises(FixStrategy, match="in the middle"):
        shown(half)


def test_the_history_holds_the_newest_bars_the_one_just_closed_included() -> None:
    class Remembers(Strategy):
        warmup = 2
        lengths: list[int]

        @on("candles")
        def look(self, candle: CandleClosed) -> None:
            table = self.candles()
            assert table["close"].iloc[-1] == candle.close
            self.buy(quantity=len(table))

    strategy = Remembers()
    strategy.begin(BTC, strategy.warmup)
    view = Book(strategy, account()).view
    lengths = [strategy.handle(CANDLE._replace(time=time, close=float(time)), view) for time in range(1, 5)]
    assert [request.quantity for (request,) in lengths if isinstance(request, OrderRequest)] == [1, 2, 2, 2]


def test_warming_up_remembers_and_does_not_decide() -> None:
    strategy = Diary()
    strategy.begin(BTC, "all")
    strategy.warm_up(CANDLE)
    assert strategy.seen == []
    assert len(strategy.candles()) == 1
    strategy.begin(BTC, 5)
    assert len(strategy.candles()) == 0


def test_the_name_and_the_idea_come_from_the_class() -> None:
    class SmaCross(Strategy):
        """Long while fast is above slow."""

    class RSIReversion2(Strategy):
        pass

    assert SmaCross.name() == "sma_cross"
    assert SmaCross.idea() == "Long while fast is above slow."
    assert RSIReversion2.name() == "rsi_reversion2"
    assert Diary.idea() == "Writes down what it sees."


def test_parameters_that_make_no_sense_together_are_refused_before_anything_runs() -> None:
    class Cross(Strategy):
        fast: int = param(10, low=2)
        slow: int = param(20, low=2)

        def validate(self) -> None:
            if self.slow <= self.fast:
                raise ValueError(f"slow ({self.slow}) must be above fast ({self.fast})")

    assert Cross(fast=5).values == {"fast": 5, "slow": 20}
    with pytest.raises(FixCommand, match=r"cross: slow \(20\) must be above fast \(30\)"):
        Cross(fast=30)


class Nothing(Strategy):
    pass


@pytest.mark.parametrize("ending", [SystemExit(), SystemExit(3)])
def test_a_strategy_cannot_end_the_program(ending: SystemExit) -> None:
    with pytest.raises(FixStrategy, match="nothing raised SystemExit"), own_errors(Nothing()):
        raise ending


def test_the_programs_own_end_passes_through_a_strategy() -> None:
    with pytest.raises(Terminated), own_errors(Nothing()):
        raise Terminated(143)
