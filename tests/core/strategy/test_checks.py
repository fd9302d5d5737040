"""What each check says, of which strategy, and in which words."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from algotrade.strategy.base import Strategy, on, param
from algotrade.strategy.checks import Budget, Check, Checks, check_key, check_strategy
from algotrade.strategy.indicators import sma
from algotrade.strategy.sampling import LEAST, bars_in_order, spread
from algotrade.strategy.signals import Bounds, SignalStrategy
from algotrade.strategy.sizes import Sizing
from tests.leaks.bank import LastClose, NextClose, OneBarPeeks, long_where
from tests.leaks.candles import random_walk, verdicts
from tests.leaks.clean import Boolean, Crossing, ExpandingMean, LongAndShort, shipped

CANDLES = random_walk(400)
FULL = Budget(full=True)


def cross(**parameters: object) -> SignalStrategy:
    strategy = shipped("sma_cross")(**parameters)
    assert isinstance(strategy, SignalStrategy)
    return strategy


# ---- look-ahead -----------------------------------------------------------------------------------------------------
def test_a_leak_is_told_with_its_bar_and_both_values() -> None:
    candles = random_walk(1_000)
    close = candles.close.to_numpy()
    knows = 1.0 if close[778] > close[777] else 0.5
    assert verdicts(OneBarPeeks(), candles, FULL).look_ahead == Check(
        False,
        1,
        1_000,
        f"the signal at 2021-05-10T12:00:00Z is {knows} with all bars known,"
        " 0.0 when none after 2021-05-10T12:00:00Z is",
    )


def test_every_earlier_signal_is_compared_not_only_the_last() -> None:
    class FirstBarKnows(SignalStrategy):
        def generate_signals(self, candles):
            signal = np.zeros(len(candles))
            signal[0] = len(candles) > 350
            return long_where(candles, signal)

    assert verdicts(FirstBarKnows(), CANDLES, Budget(seconds=0.0)).look_ahead.passed is False


def test_a_difference_in_the_last_bit_is_a_difference() -> None:
    class LastBit(SignalStrategy):
        def generate_signals(self, candles):
            signal = np.full(len(candles), 0.5)
            signal[0] = 0.5 if len(candles) < 400 else np.nextafter(0.5, 1)
            return long_where(candles, signal)

    assert "0.5000000000000001" in verdicts(LastBit(), CANDLES).look_ahead.detail


def test_full_covers_every_bar() -> None:
    checks = verdicts(cross(), CANDLES, FULL)
    assert (checks.look_ahead.coverage, checks.warm_up.coverage) == ("400 of 400", "380 of 380")


def test_the_budget_is_shared_and_the_coverage_told() -> None:
    checks = verdicts(cross(), CANDLES, Budget(seconds=1.0))
    assert checks.look_ahead == Check(True, 109, 400, "no signal depends on a later bar")
    assert checks.warm_up.covered == 109


def test_without_a_budget_some_bars_are_still_checked() -> None:
    checks = verdicts(cross(), CANDLES, Budget(seconds=0.0))
    assert checks.look_ahead.covered == checks.warm_up.covered == LEAST


def test_a_strategy_that_raises_on_few_bars_fails_with_its_line_of_code() -> None:
    class NeedsThree(SignalStrategy):
        def generate_signals(self, candles):
            return long_where(candles, candles.close > candles.close.iloc[2])

    check = verdicts(NeedsThree(), CANDLES, FULL).look_ahead
    assert check.passed is False
    assert check.detail.startswith("from the 1 bar up to 2021-01-01T00:00:00Z alone: needs_three raised IndexError")
    assert "test_checks.py line" in check.detail
    assert "candles.close.iloc[2]" in check.detail


def test_a_short_signal_from_fewer_bars_fails_too() -> None:
    class ShortAtFirst(SignalStrategy):
        def generate_signals(self, candles):
            return long_where(candles, [-1.0 if len(candles) < 200 else 0.0] * len(candles))

    assert "which a spot market cannot do" in verdicts(ShortAtFirst(), CANDLES).look_ahead.detail


def test_one_bar_of_data_is_enough_to_run_the_checks() -> None:
    checks = verdicts(cross(), CANDLES.iloc[:1])
    assert checks.failed == {}
    assert checks.warm_up.passed is None


# ---- warm-up --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "parameters", "bars"),
    [
        ("sma_cross", {"fast": 5, "slow": 30}, 30),
        ("bollinger_reversion", {"window": 10, "patience": 5, "width": 1.0}, 15),
        ("donchian_breakout", {"entry": 20, "exit": 10, "patience": 5}, 26),
    ],
)
def test_the_declared_warm_up_of_a_windowed_strategy_is_exact(name: str, parameters: dict, bars: int) -> None:
    strategy = shipped(name)(**parameters)
    assert verdicts(strategy, CANDLES.iloc[:250], FULL).failed == {}
    assert strategy.warmup == bars

    class OneLess(type(strategy)):
        warmup = bars - 1

    assert "warm_up" in verdicts(OneLess(**parameters), CANDLES, FULL).failed


def test_a_declared_warm_up_that_is_too_short_is_told_with_one_that_is_not() -> None:
    class Declared(Crossing):
        warmup = 20

    checks = verdicts(Declared(window=20), CANDLES, FULL)
    assert checks.warm_up.passed is False
    assert checks.warm_up.detail.endswith("is 0.0 from all bars, 1.0 from the last 20; warmup = 40 is enough")
    assert checks.warmup == 20


def test_an_undeclared_warm_up_is_doubled_until_the_signals_agree() -> None:
    assert verdicts(Crossing(window=20), CANDLES, FULL)[1::3] == (
        Check(True, 360, 360, "40 bars of warm-up, found by trial"),
        40,
    )


def test_the_search_begins_at_the_longest_whole_number() -> None:
    class ThreeParameters(SignalStrategy):
        window: int = param(7)
        factor: float = param(90.0)
        strict: bool = param(True)

        def generate_signals(self, candles):
            return long_where(candles, candles.close > sma(candles.close, self.window))

    assert verdicts(ThreeParameters(), CANDLES, FULL).warmup == 7


def test_a_bar_that_refuted_a_warm_up_is_tried_again_with_the_next() -> None:
    """Even when the budget is nearly gone: else a longer warm-up that is wrong as well would pass."""
    order = list(bars_in_order(np.arange(400) % 2 + 1.0, first=1))
    rare = CANDLES.index[order[30]]

    class OneLongMemory(SignalStrategy):
        def generate_signals(self, candles):
            signal = (candles.index.hour // 4 % 2) * 0.5
            return long_where(candles, np.where((candles.index == rare) & (np.arange(len(candles)) >= 99), 1.0, signal))

    assert verdicts(OneLongMemory(), CANDLES, Budget(seconds=0.3)).warmup == 128


def test_a_signal_that_needs_all_of_history_must_say_so() -> None:
    class Undeclared(ExpandingMean):
        warmup = None

    checks = verdicts(Undeclared(), CANDLES, FULL)
    assert checks.warm_up.detail.endswith('from the last 256; declare warmup = "all"')
    assert checks.warmup == "all"
    declared = verdicts(ExpandingMean(), CANDLES, FULL)
    assert declared.failed == {}
    assert declared.warmup == "all"


def test_a_warm_up_longer_than_the_data_is_no_verdict() -> None:
    checks = verdicts(cross(slow=400), CANDLES)
    assert checks.warm_up == Check(None, 0, 0, "not checked: the warm-up is 400 bars, the data 400 bars")
    assert checks.warm_up.coverage == ""
    assert checks.warmup == 400


def test_warm_up_is_not_judged_when_the_strategy_looks_ahead() -> None:
    checks = verdicts(LastClose(), CANDLES)
    assert checks.warm_up == Check(None, 0, 400, "not checked: the strategy looks ahead")
    assert list(checks.failed) == ["look_ahead"]


def test_what_a_strategy_keeps_from_call_to_call_shows() -> None:
    class Tires(SignalStrategy):
        calls = 0

        def generate_signals(self, candles):
            self.calls += 1
            return long_where(candles, [1.0 if self.calls < 5 else 0.0] * len(candles))

    assert list(verdicts(Tires(), CANDLES).failed) == ["warm_up"]


# ---- purity ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", ["column", "value", "index", "new column"])
def test_a_strategy_that_writes_on_its_candles_is_found(place: str) -> None:
    class Writes(SignalStrategy):
        def generate_signals(self, candles):
            answer = long_where(candles, np.zeros(len(candles)))
            if place == "column":
                candles["close"] = candles.close.round()
            elif place == "value":
                candles.iloc[3, 0] = 1.0
            elif place == "index":
                candles.index = candles.index + pd.Timedelta(hours=1)
            else:
                candles["mean"] = candles.close.mean()
            return answer

    candles, flat = CANDLES.copy(), long_where(CANDLES, np.zeros(len(CANDLES)))
    check = check_strategy(Writes(), candles, flat, Budget(), itertools.count().__next__).purity
    what = {"column": "column(s) close", "value": "column(s) open", "new column": "column(s) mean", "index": "times"}
    told = f"it changes the {what[place]} of the candles it is given; work on candles.copy()"
    assert check == Check(False, 400, 400, told)
    assert candles.equals(CANDLES)


def test_writing_is_found_after_the_backtest_has_written_already() -> None:
    class AddsColumn(SignalStrategy):
        def generate_signals(self, candles):
            candles["signal"] = 0.0
            return candles

    candles = CANDLES.copy()
    assert "the column(s) signal of" in verdicts(AddsColumn(), candles).purity.detail


def test_chance_is_found() -> None:
    class Dice(SignalStrategy):
        def generate_signals(self, candles):
            return long_where(candles, np.random.default_rng().random(len(candles)) < 0.5)

    check = verdicts(Dice(), CANDLES).purity
    assert check.passed is False
    assert check.detail.endswith("over the same candles")


def test_a_strategy_that_counts_its_calls_is_found() -> None:
    class Counts(SignalStrategy):
        calls = 0

        def generate_signals(self, candles):
            self.calls += 1
            return long_where(candles, [float(self.calls == 1)] * len(candles))

    check = verdicts(Counts(), CANDLES).purity
    told = "the signal at 2021-01-01T00:00:00Z is 1.0 in one run, 0.0 in the next, over the same candles"
    assert check == Check(False, 400, 400, told)


def test_a_second_run_that_raises_is_found() -> None:
    class OnlyOnce(SignalStrategy):
        done: ClassVar[bool] = False

        def generate_signals(self, candles):
            if self.done:
                raise RuntimeError("once is enough")
            self.done = True
            return long_where(candles, np.zeros(len(candles)))

    assert "only_once raised RuntimeError: once is enough" in verdicts(OnlyOnce(), CANDLES).purity.detail


# ---- range ----------------------------------------------------------------------------------------------------------
def test_the_range_of_the_signals_is_told() -> None:
    assert verdicts(cross(), CANDLES).range == Check(True, 400, 400, "every signal lies between 0 and 1")
    assert verdicts(LongAndShort(), CANDLES).range.detail == "every signal lies between -2 and 2"


def test_bounds_that_were_set_for_a_run_hold_in_its_checks() -> None:
    class Shorts(LongAndShort):
        bounds = Bounds()

    strategy = Shorts()
    strategy.bounds = Bounds(leverage=2.0, allow_short=True)
    assert verdicts(strategy, CANDLES).failed == {}


def test_signals_outside_of_the_bounds_are_found() -> None:
    strategy = LongAndShort()
    signals = strategy.signals(CANDLES)
    strategy.bounds = Bounds()
    check = check_strategy(strategy, CANDLES, signals, Budget(), itertools.count().__next__).range
    assert check.passed is False
    assert "not between 0 and 1" in check.detail


# ---- what comes with a signal ---------------------------------------------------------------------------------------
class StopsAtTheNextRange(SignalStrategy):
    """Honest signals; the stop knows the next bar, but for the bars at which `only_held` leaves it alone."""

    only_held: bool = param(False)

    def generate_signals(self, candles):
        signals = long_where(candles, candles.close > candles.close.rolling(10).mean())
        ahead = (candles.high / candles.low - 1).shift(-1).fillna(0.01).clip(0.001, 0.9)
        entries = signals.signal.diff().fillna(signals.signal) != 0
        return signals.assign(stop_loss=ahead.mask(entries, 0.05) if self.only_held else ahead)


def test_a_stop_that_knows_the_future_is_found_where_it_counts() -> None:
    check = verdicts(StopsAtTheNextRange(), CANDLES, FULL).look_ahead
    assert check.passed is False
    assert check.detail.startswith("the stop_loss at 2021-")
    assert verdicts(StopsAtTheNextRange(only_held=True), CANDLES, FULL).look_ahead.passed


# ---- strategies that answer events ----------------------------------------------------------------------------------
def test_an_event_strategy_cannot_look_ahead_and_is_told_what_is_not_known() -> None:
    checks = verdicts(shipped("buy_the_dip")(), CANDLES, FULL)
    assert checks.look_ahead == Check(True, 400, 400, "an event strategy is given one closed bar at a time")
    assert checks.purity.passed
    assert checks.purity.coverage == "400 of 400"
    assert checks.warm_up.passed is checks.range.passed is None
    assert checks.warmup == 500


def test_an_event_strategy_that_plays_dice_is_found() -> None:
    class Dice(Strategy):
        @on("candles")
        def decide(self, candle):
            self.target(exposure=float(np.random.default_rng().random()))

    told = "at 2021-01-01T00:00:00Z two runs over the same candles do different things"
    assert verdicts(Dice(), CANDLES).purity == Check(False, 1, 400, told)


def test_an_event_strategy_that_raises_is_found() -> None:
    class Raises(Strategy):
        @on("candles")
        def decide(self, candle):
            raise LookupError("no such thing")

    purity = verdicts(Raises(), CANDLES).purity
    assert purity.passed is None
    assert purity.detail.startswith("not checked beyond 2021-01-01T00:00:00Z: raises raised LookupError: no such thing")


def test_a_strategy_that_overwrites_its_parameter_is_told_which() -> None:
    class Overwrites(SignalStrategy):
        n: int = param(10)

        def generate_signals(self, candles):
            self.n = 50
            return long_where(candles, candles.close > candles.close.rolling(self.n).mean())

    check = verdicts(Overwrites(), CANDLES).purity
    assert check.passed is False
    assert check.detail == "it overwrites its parameter n: 10 was given, 50 is used"


def test_the_budget_leaves_room_within_the_second_that_checks_may_add() -> None:
    assert Budget().seconds == 0.8


# ---- verdicts -------------------------------------------------------------------------------------------------------
def test_verdicts_survive_storage() -> None:
    for strategy in (cross(), NextClose(), ExpandingMean(), shipped("buy_the_dip")()):
        checks = verdicts(strategy, CANDLES)
        assert Checks.from_dict(checks.to_dict()) == checks


def test_the_key_changes_with_all_that_decides() -> None:
    keys = {
        check_key(strategy, code_hash=code, data_hash=data, mode=mode, versions={})
        for strategy in (cross(), cross(fast=11), Crossing(window=20), Boolean(window=20), Boolean(window=20))
        for code in ("x", "y")
        for data in ("a", "b")
        for mode in ("default", "full")
    }
    assert len(keys) == 4 * 2 * 2 * 2


# ---- which bars -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 100])
def test_the_sample_takes_each_bar_once(count: int) -> None:
    assert sorted(spread(np.arange(count))) == list(range(count))


@pytest.mark.parametrize("share", [8, 16, 50, 300])
def test_any_beginning_of_the_sample_is_even(share: int) -> None:
    taken = sorted(itertools.islice(spread(np.arange(1_000)), share))
    assert max(np.diff([*taken, 1_000])) <= 2.1 * 1_000 / share


def test_changes_and_other_bars_are_taken_in_turn() -> None:
    targets = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert list(bars_in_order(targets)) == [1, 0, 3, 4, 2, 5]
    assert list(bars_in_order(targets, first=3)) == [3, 4, 5]


class Listens(Strategy):
    """Trades on everything that a run may give."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()
        KEPT.append(self)

    @on("candles")
    def decide(self, candle):
        self.heard.add("candles")
        self.target(exposure=0.5, stop_loss=0.01)

    @on("candles:1d")
    def daily(self, candle):
        self.heard.add("candles:1d")

    @on("timer:1w")
    def weekly(self, timer):
        self.heard.add("timer")
        self.close()

    @on("trades")
    def watch(self, trade):
        self.heard.add("trades")

    @on("fills")
    def filled(self, fill):
        self.heard.add("fills")
        self.emit("done", fill.price)

    @on("done")
    def told(self, told):
        self.heard.add("done")


KEPT: list[Listens] = []


def test_an_event_strategy_hears_in_its_check_whatever_it_may_hear_in_a_run() -> None:
    strategy = Listens()
    KEPT.clear()
    assert verdicts(strategy, CANDLES, FULL).purity.passed
    assert [each.heard for each in KEPT] == [{"candles", "candles:1d", "timer", "trades", "fills", "done"}] * 2


def test_an_event_strategy_of_several_symbols_is_checked_on_all_of_them() -> None:
    class Pair(Strategy):
        @on("candles")
        def decide(self, candle):
            other = "ETH/USD" if candle.symbol == "BTC/USD" else "BTC/USD"
            self.target(exposure=0.4, symbol=other)
            if self.position_of(other) and self.dice.random() > 0.99:
                self.close(other)

        def __init__(self, **values):
            super().__init__(**values)
            self.dice = np.random.default_rng(SEEDS.pop())

    tables = {"BTC/USD": CANDLES, "ETH/USD": CANDLES.iloc[100:300]}
    for seeds, passed in (([1, 1, 1], True), ([1, 2, 3], False)):
        SEEDS[:] = seeds
        strategy = Pair()
        strategy.begin(list(tables), None, timeframe="4h")
        purity = check_strategy(strategy, tables, None, FULL, itertools.count().__next__).purity
        assert purity.passed is passed
        assert purity.total == len(CANDLES)


SEEDS: list[int] = []


def test_an_order_for_a_symbol_whose_candles_are_not_there_is_told() -> None:
    class Elsewhere(Strategy):
        @on("candles")
        def decide(self, candle):
            self.buy(notional=1.0, symbol="ETH/USD")

    strategy = Elsewhere()
    strategy.begin(["BTC/USD", "ETH/USD"], None, timeframe="4h")
    purity = check_strategy(strategy, CANDLES, None, FULL, itertools.count().__next__).purity
    assert purity.passed is None
    assert "'ETH/USD' is not traded here" in purity.detail


def test_the_warm_up_covers_what_the_size_of_a_position_looks_at() -> None:
    class Small(Strategy):
        sizing = Sizing("volatility", 0.3, window=600)

        @on("candles")
        def decide(self, candle):
            self.target(exposure=1.0)

    assert verdicts(Small(), CANDLES).warmup == 600


def test_a_declared_warm_up_comes_on_top_of_what_the_sizing_keeps_anyway() -> None:
    class ByTheClock(SignalStrategy):
        sizing = Sizing("volatility", 0.3, window=40)
        warmup = 1

        def generate_signals(self, candles):
            return candles.assign(signal=(candles.index.hour < 12).astype(float))

    checks = verdicts(ByTheClock(), CANDLES, FULL)
    assert checks.warm_up.passed
    assert checks.warmup == 40
