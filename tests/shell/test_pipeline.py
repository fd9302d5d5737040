"""The four verbs, and the runs and the Python API that go through them."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import algotrade as at
from algotrade import pipeline
from algotrade.backtest.feed import Inside, Prints
from algotrade.backtest.setup import Setup
from algotrade.config import load_settings
from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.errors import FixCommand, FixData, FixStrategy
from algotrade.ingest.inside import Markets
from algotrade.ingest.source import DataRequest, MarketData, load_candles
from algotrade.market.candles import COLUMNS, SeriesKey, times_ms
from algotrade.market.instrument import Instrument
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import parse_span
from algotrade.pipeline import fee_rate_of, kept_result, profit_ends_at, refuse_short_data, run_backtest
from algotrade.store.arrivals import write_candles
from algotrade.store.database import Database, open_database
from algotrade.strategy.base import Strategy, on, param
from algotrade.strategy.signals import Bounds, SignalStrategy

SPAN = parse_span("2020-01-01", "2020-12-31")
KEY = SeriesKey("kraken", "BTC/USD", "1d")
COUNT = {"runs": 0}


class Cross(SignalStrategy):
    """Long while the fast average is above the slow one."""

    fast: int = param(5, low=1, high=500)
    slow: int = param(20, low=2, high=500)

    @property
    def warmup(self) -> int:
        return self.slow

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        fast, slow = (candles.close.rolling(window).mean() for window in (self.fast, self.slow))
        return candles[["close"]].assign(signal=(fast > slow).astype(float))


class Counting(Cross):
    """Counts how often it is asked for signals."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        COUNT["runs"] += 1
        return super().generate_signals(candles)


class Peeks(SignalStrategy):
    """Knows the next close."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return candles[["close"]].assign(signal=(candles.close.shift(-1) > candles.close).astype(float))


class BothWays(SignalStrategy):
    """Long above the average, short below it."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return candles[["close"]].assign(signal=np.sign(candles.close - candles.close.rolling(10).mean()))


class BuyThenSell(Strategy):
    """Buys at its third bar, sells at its hundredth, and remembers how many it has seen."""

    seen = 0

    @on("candles")
    def count(self, candle: Any) -> None:
        self.seen += 1
        if self.seen == 3:
            self.buy(notional=1000.0)
        if self.seen == 100:
            self.sell(quantity=self.position)


class TwoMinds(SignalStrategy):
    """Its signal is flat; a method of its own goes long."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return candles[["close"]].assign(signal=0.0)

    @on("candles")
    def go_long(self, candle: Any) -> None:
        self.target(exposure=1)


class HalfOfIt(Cross):
    """Follows its signal with half of its equity."""

    @on("candles")
    def follow_signal(self, candle: Any) -> None:
        self.target(exposure=0.5 * float(self.signals(self.candles())["signal"].iloc[-1]))


class Raises(SignalStrategy):
    """Divides by zero."""

    def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
        return candles.assign(signal=1 / 0)


class ShortByEvents(Strategy):
    """Goes short at the first bar."""

    @on("candles")
    def go(self, candle: Any) -> None:
        self.target(exposure=-1.0)


LEANS = """
import moved_close
from algotrade import SignalStrategy

class Leans(SignalStrategy):
    def generate_signals(self, candles):
        return candles.assign(signal=(moved_close.moved(candles.close) > candles.close) * 1.0)
"""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "store.sqlite") as opened:
        yield opened


@pytest.fixture
def candles() -> pd.DataFrame:
    return simulate_candles("BTC/USD", "1d", *SPAN)


def market_of(candles: pd.DataFrame, instrument: Instrument | None = None, **changes: Any) -> MarketData:
    return MarketData(KEY, candles, instrument or Instrument("BTC/USD"), simulated=False)._replace(**changes)


def setup_with(**changes: Any) -> Setup:
    return Setup((Instrument("BTC/USD"),), "1d", costs=Costs(0.0026, 0.0))._replace(**changes)


def run(strategy: Strategy, candles: pd.DataFrame, *, check: str = "none", **changes: Any) -> pipeline.Run:
    return run_backtest(strategy, market_of(candles), setup_with(**changes), check=check)


# ---- the Python API -------------------------------------------------------------------------------------------------
def test_a_backtest_from_python_gives_the_figures_of_the_command(candles: pd.DataFrame) -> None:
    result = at.backtest(Cross(), candles, fee_rate=0.0026, slippage_rate=0.0)
    assert np.array_equal(result.equity_values, run(Cross(), candles).result.equity_values)
    assert result.summary["round_trips"] == len(result.round_trips) > 0
    assert result.fingerprint["strategy"]["parameters"] == {"fast": 5, "slow": 20}
    assert result.signals is not None


def test_a_backtest_from_python_takes_event_strategies(candles: pd.DataFrame) -> None:
    result = at.backtest(BuyThenSell(), candles, cash=5000.0)
    assert result.filled.bar.tolist() == [3, 100]
    assert result.signals is None
    assert result.cash == 5000.0


def test_a_strategy_remembers_nothing_of_the_run_before(candles: pd.DataFrame) -> None:
    strategy = BuyThenSell()
    first, second = (at.backtest(strategy, candles) for _ in range(2))
    assert np.array_equal(first.equity_values, second.equity_values)
    assert strategy.seen == 0


def test_columns_beside_the_five_do_not_reach_the_strategy(candles: pd.DataFrame) -> None:
    result = at.backtest(Cross(), candles.assign(tomorrow=candles.close.shift(-1)))
    assert list(result.candles.columns) == list(COLUMNS)


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d", "1w"])
def test_the_timeframe_is_the_distance_of_the_candles(timeframe: str) -> None:
    length = {"5m": 300_000, "1h": 3_600_000, "1d": 86_400_000, "1w": 604_800_000}[timeframe]
    candles = simulate_candles("BTC/USD", timeframe, SPAN.start or 0, (SPAN.start or 0) + 40 * length)
    assert at.backtest(Cross(), candles).timeframe == timeframe
    assert at.backtest(Cross(), candles.drop(candles.index[7])).timeframe == timeframe


def test_a_given_timeframe_is_taken(candles: pd.DataFrame) -> None:
    assert at.backtest(Cross(), candles, timeframe="4h").timeframe == "4h"


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_candles_to_run_over_are_a_sentence(candles: pd.DataFrame, rows: int) -> None:
    with pytest.raises(FixData):
        at.backtest(Cross(), candles.head(rows))


def test_shorts_are_refused_unless_they_are_asked_for(candles: pd.DataFrame) -> None:
    with pytest.raises(FixCommand, match="wants to be short"):
        at.backtest(BothWays(), candles)
    assert "short" in set(at.backtest(BothWays(), candles, allow_short=True).round_trips["side"])


def test_shorts_of_event_strategies_are_refused_unless_they_are_asked_for(candles: pd.DataFrame) -> None:
    with pytest.raises(FixStrategy, match="wants to be short"):
        at.backtest(ShortByEvents(), candles)
    assert at.backtest(ShortByEvents(), candles, allow_short=True).filled.side.tolist() == [-1]


def test_candles_are_loaded_from_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    candles = simulate_candles("BTC/USD", "1d", *SPAN)
    write_candles(db, KEY, times_ms(candles), candles[list(COLUMNS)].to_numpy().T)
    monkeypatch.setenv("ALGOTRADE_DATABASE", str(tmp_path / "store.sqlite"))
    assert at.load("BTC/USD", exchange="kraken").equals(candles)
    assert at.load("BTC/USD", start="2020-02-01", end="2020-02-29").equals(candles.loc["2020-02-01":"2020-02-29"])
    assert len(at.load("BTC/USD", exchange="demo")) == 2557


def test_no_simulated_candles_are_loaded_under_a_real_markets_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "algotrade.toml").write_text(
        '[exchange.kraken.ccxt]\nurls = {api = {public = "http://127.0.0.1:9"}}\nenableRateLimit = false\n'
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FixData, match="Cannot reach kraken"):
        at.load("BTC/USD")


# ---- runs -----------------------------------------------------------------------------------------------------------
def test_limits_send_a_run_through_the_event_loop_with_the_same_outcome(candles: pd.DataFrame) -> None:
    plain = run(Cross(), candles).result
    loose = run(Cross(), candles, limits=Limits(max_order_notional=1e12)).result
    tight = run(Cross(), candles, limits=Limits(max_order_notional=1.0)).result
    assert np.array_equal(loose.equity_values, plain.equity_values)
    assert len(tight.filled.bar) == 0
    assert "max_order_notional" in {refused.reason for refused in tight.rejections}


def test_a_short_result_on_spot_says_that_it_cannot_be_traded(candles: pd.DataFrame) -> None:
    short = run(BothWays(), candles, bounds=Bounds(allow_short=True))
    assert short.document["warnings"] == ["shorts are simulated: this result is not tradable on spot"]
    perpetual = Instrument("BTC/USD:USD", can_short=True)
    assert (
        run(BothWays(), candles, bounds=Bounds(allow_short=True), instruments=(perpetual,)).document["warnings"] == []
    )


def test_notes_of_the_source_are_warnings_of_the_run(candles: pd.DataFrame) -> None:
    market = market_of(candles, notes=("the stored candles end early",), simulated=True)
    done = run_backtest(Cross(), market, setup_with(), check="none")
    assert done.document["warnings"] == ["the stored candles end early"]
    assert done.document["data"]["simulated"]
    assert done.result.simulated


@pytest.mark.parametrize(
    ("given", "market", "fee"),
    [(0.001, 0.0026, 0.001), (0.0, 0.0026, 0.0), (None, 0.0026, 0.0026), (None, None, 0.004)],
)
def test_the_fee_is_the_given_one_else_the_markets_else_a_cautious_one(
    given: float | None, market: float | None, fee: float
) -> None:
    assert fee_rate_of(given, Instrument("BTC/USD", taker_fee=market)) == fee


def test_a_strategy_that_raises_is_told_with_its_own_line(candles: pd.DataFrame) -> None:
    with pytest.raises(
        FixStrategy, match=r"raises raised ZeroDivisionError.*test_pipeline.py line \d+: .*signal=1 / 0"
    ):
        run(Raises(), candles)


def test_a_window_longer_than_the_data_is_told_before_anything_runs(candles: pd.DataFrame) -> None:
    COUNT["runs"] = 0
    with pytest.raises(FixData, match="looks back 400 bars, but there are only 366"):
        run(Counting(slow=400), candles)
    assert COUNT["runs"] == 0


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        ("official", "algotrade fetch --exchange kraken --symbol BTC/USD --timeframe 1d --start 2018-11-27"),
        ("demo", "algotrade backtest --exchange kraken --symbol BTC/USD --timeframe 1d --start 2018-11-27"),
        ("import", "algotrade list data"),
    ],
)
def test_too_few_bars_are_told_with_where_older_ones_come_from(candles: pd.DataFrame, origin: str, hint: str) -> None:
    key = SeriesKey("kraken", "BTC/USD", "1d", origin)
    with pytest.raises(FixData) as caught:
        refuse_short_data(Counting(slow=400), MarketData(key, candles, Instrument("BTC/USD"), simulated=False))
    assert caught.value.hint == hint


def test_an_unknown_kind_of_check_is_told_before_anything_runs(candles: pd.DataFrame) -> None:
    COUNT["runs"] = 0
    with pytest.raises(FixCommand, match=r"given 'ful'\. Did you mean 'full'"):
        run(Counting(), candles, check="ful")
    assert COUNT["runs"] == 0


@pytest.mark.parametrize("strategy", [TwoMinds(), HalfOfIt()])
def test_a_signal_strategy_that_also_answers_events_is_run_and_checked_as_one_that_does(
    candles: pd.DataFrame, strategy: Strategy
) -> None:
    done = run(strategy, candles.iloc[:100], check="budget")
    assert len(done.result.filled.bar) > 0
    assert done.document["targets"] is None
    assert done.checks is not None
    assert done.checks.look_ahead.detail == "an event strategy is given one closed bar at a time"


def test_a_strategy_that_waits_for_what_the_run_does_not_give_is_told_before_anything_runs(
    candles: pd.DataFrame,
) -> None:
    class OnTrades(Strategy):
        @on("trades")
        def act(self, event: Any) -> None:
            self.target(exposure=1)

    with pytest.raises(FixStrategy, match=r"on_trades\.act waits for 'trades', which this run does not give"):
        run(OnTrades(), candles)


def test_a_strategy_may_wait_for_timers_alone(candles: pd.DataFrame) -> None:
    class Monthly(Strategy):
        @on("timer:4w")
        def act(self, event: Any) -> None:
            self.target(exposure=1)

    assert len(run(Monthly(), candles).result.filled.bar) == 1


# ---- checks ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("check", "verdicts"), [("none", 0), ("budget", 4), ("full", 4)])
def test_the_checks_are_part_of_the_document(candles: pd.DataFrame, check: str, verdicts: int) -> None:
    done = run(Cross(), candles, check=check)
    assert len(done.document["checks"]) == verdicts
    assert all(verdict["passed"] for verdict in done.document["checks"].values())
    assert (done.checks is None) == (check == "none")
    if check == "full":
        assert done.document["checks"]["look_ahead"]["covered"] == len(candles)


def test_a_strategy_that_looks_ahead_fails_and_its_figures_are_still_given(candles: pd.DataFrame) -> None:
    done = run(Peeks(), candles, check="budget")
    assert done.checks is not None
    assert list(done.checks.failed) == ["look_ahead"]
    assert done.document["checks"]["look_ahead"]["passed"] is False
    assert done.document["summary"]["round_trips"] > 0


def test_the_same_strategy_on_the_same_bars_is_checked_once(candles: pd.DataFrame, db: Database) -> None:
    def runs(strategy: Strategy, market: MarketData, check: str = "budget", **changes: Any) -> int:
        COUNT["runs"] = 0
        run_backtest(strategy, market, setup_with(**changes), check=check, database=db)
        return COUNT["runs"]

    market = market_of(candles)
    assert runs(Counting(), market) > 10
    assert runs(Counting(), market) == 1
    assert runs(Counting(fast=6), market) > 10
    assert runs(Counting(), market_of(candles.iloc[1:])) > 10
    assert runs(Counting(), market, check="full") > 10
    assert runs(Counting(), market, bounds=Bounds(2.0)) > 10
    assert runs(Counting(), market) == 1


def test_a_strategy_whose_helper_has_changed_is_checked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candles: pd.DataFrame, db: Database
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))

    def passes(shift: int) -> bool | None:
        (tmp_path / "moved_close.py").write_text(f"def moved(close):\n    return close.shift({shift})\n")
        (tmp_path / "leans.py").write_text(LEANS)
        for name in ("moved_close", "leans"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        strategy = importlib.import_module("leans").Leans()
        done = run_backtest(strategy, market_of(candles), setup_with(), database=db)
        assert done.checks is not None
        return done.checks.look_ahead.passed

    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two texts of one second and size
    assert passes(10) is True
    assert passes(-1) is False


def test_verdicts_from_the_store_are_the_same_verdicts(candles: pd.DataFrame, db: Database) -> None:
    first, second = (
        run_backtest(Peeks(), market_of(candles), setup_with(), check="full", database=db) for _ in range(2)
    )
    assert first.document == second.document
    assert first.checks == second.checks


def test_an_event_strategy_that_may_be_short_passes_its_checks(candles: pd.DataFrame) -> None:
    done = run(ShortByEvents(), candles, check="budget", bounds=Bounds(allow_short=True))
    assert done.checks is not None
    assert done.checks.failed == {}


# ---- judging again --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("strategy", [Cross(), BuyThenSell()], ids=["signals", "events"])
def test_a_kept_run_is_the_same_result(candles: pd.DataFrame, db: Database, strategy: Strategy) -> None:
    write_candles(db, KEY, times_ms(candles), candles[list(COLUMNS)].to_numpy().T)
    done = run(strategy, candles)
    again = kept_result(done.document, db)
    assert np.array_equal(again.equity_values, done.result.equity_values)
    assert again.summary == done.result.summary


def test_a_kept_run_on_the_demo_market_needs_nothing_stored(db: Database) -> None:
    market = load_candles(DataRequest("ETH/USD", "1h", "demo", SPAN), db, load_settings())
    done = run_backtest(Cross(), market, setup_with(timeframe="1h"), check="none")
    assert np.array_equal(kept_result(done.document, db).equity_values, done.result.equity_values)


@pytest.fixture
def rising() -> pd.DataFrame:
    """A span in which both strategies earn something."""
    return simulate_candles("BTC/USD", "1d", *parse_span("2024-08-01", "2024-12-31"))


def final_equity(strategy: Strategy, candles: pd.DataFrame, fee: float, **changes: Any) -> float:
    return float(run(strategy, candles, costs=Costs(fee, 0.0), **changes).result.equity_values[-1])


def test_at_the_break_even_fee_the_same_signals_earn_nothing(rising: pd.DataFrame) -> None:
    done = run(Cross(), rising)
    fee = profit_ends_at(done.document, done.result)
    assert 0 < fee < 1
    assert final_equity(Cross(), rising, fee) == pytest.approx(10_000.0, rel=1e-4)


def test_at_the_break_even_fee_the_same_orders_earn_nothing(rising: pd.DataFrame) -> None:
    done = run(BuyThenSell(), rising)
    fee = profit_ends_at(done.document, done.result)
    traded = float((done.result.filled.quantity * done.result.filled.price).sum())
    unfeed = float(done.result.equity_values[-1] + done.result.filled.fee.sum())
    assert unfeed - fee * traded == pytest.approx(10_000.0, abs=0.01)


def test_limits_are_part_of_the_decisions_that_the_break_even_fee_is_about(rising: pd.DataFrame) -> None:
    nothing = run(Cross(), rising, limits=Limits(max_order_notional=1.0))
    assert math.isnan(profit_ends_at(nothing.document, nothing.result))
    once = run(Cross(), rising, limits=Limits(max_orders_per_day=1, max_daily_loss=1e-9))
    assert profit_ends_at(once.document, once.result) != profit_ends_at(
        run(Cross(), rising).document, run(Cross(), rising).result
    )


def test_a_fee_that_may_be_meant_as_percent_is_said(candles: pd.DataFrame) -> None:
    warnings = at.backtest(Cross(), candles, fee_rate=0.26, check="none").document["warnings"]
    assert "a fee of 0.26 is 26 % of every fill; was percent meant?" in warnings


def test_signals_that_never_begin_are_said(candles: pd.DataFrame) -> None:
    class Never(at.SignalStrategy):
        """Has no opinion."""

        def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
            return candles.assign(signal=float("nan"))

    assert "no bar has a signal: every one is NaN" in at.backtest(Never(), candles).document["warnings"]


def test_a_strategy_that_sells_what_it_holds_passes_the_purity_check(candles: pd.DataFrame) -> None:
    verdict = at.backtest(BuyThenSell(), candles).document["checks"]["purity"]
    assert verdict["passed"] is True


# ---- several symbols and strategies ---------------------------------------------------------------------------------
BOTH = (Instrument("BTC/USD"), Instrument("ETH/USD"))


def both(candles: pd.DataFrame) -> Markets:
    """BTC/USD over the whole span, and ETH/USD over its middle."""
    other = simulate_candles("ETH/USD", "1d", *SPAN).iloc[100:-100]
    return Markets((market_of(candles), MarketData(KEY._replace(symbol="ETH/USD"), other, BOTH[1], simulated=False)))


def test_the_same_signals_rule_every_symbol_with_a_share_of_the_equity(candles: pd.DataFrame) -> None:
    class Always(at.SignalStrategy):
        """Holds."""

        warmup = 1

        def generate_signals(self, candles: pd.DataFrame) -> pd.DataFrame:
            return candles[["close"]].assign(signal=1.0)

    done = run_backtest(Always(), both(candles), setup_with(instruments=BOTH), check="none")
    spent = done.result.fills.query("side == 'buy'").eval("quantity * price").tolist()
    assert spent[0] == pytest.approx(5_000.0, rel=0.01)
    assert len(spent) == 2
    assert any("ETH/USD begins later than the others" in warning for warning in done.document["warnings"])
    assert any("ETH/USD ends earlier than the others" in warning for warning in done.document["warnings"])


def test_an_event_strategy_is_asked_about_every_symbol(candles: pd.DataFrame) -> None:
    class Seen(Strategy):
        """Buys a little of everything once."""

        @on("candles")
        def buy_once(self, candle: Any) -> None:
            if not self.position:
                self.buy(notional=100)

    done = run_backtest(Seen(), both(candles), setup_with(instruments=BOTH), check="none")
    assert done.result.fills["symbol"].tolist() == ["BTC/USD", "ETH/USD"]
    assert done.document["ran_on"]["reason"] == "a strategy that answers events"


def test_strategies_of_one_run_can_tell_each_other_something(candles: pd.DataFrame) -> None:
    class Tells(Strategy):
        """Says when to buy."""

        @on("candles")
        def tell(self, candle: Any) -> None:
            self.emit("now", 1)

    class Hears(Strategy):
        """Buys when told."""

        @on("now")
        def act(self, said: Any) -> None:
            self.target(exposure=1)

    books = {"tells": Tells(), "hears": Hears()}
    done = run_backtest(books, market_of(candles), setup_with(books=("tells", "hears")), check="none")
    assert done.result.fills["strategy"].tolist() == ["hears"]
    with pytest.raises(FixStrategy, match="hears answers 'now' alone, and no other strategy runs beside it"):
        run(Hears(), candles)


def test_of_several_strategies_the_verdicts_are_those_of_the_one_that_fails(candles: pd.DataFrame) -> None:
    books = {"cross": Cross(), "peeks": Peeks()}
    done = run_backtest(books, market_of(candles), setup_with(books=("cross", "peeks")))
    assert done.checks is not None
    assert list(done.checks.failed) == ["look_ahead"]
    assert [each["book"] for each in done.document["strategies"]] == ["cross", "peeks"]


def test_trades_inside_the_bars_reach_a_strategy_and_fill_its_orders(candles: pd.DataFrame) -> None:
    class OnTrades(Strategy):
        """Buys at the third trade."""

        seen = 0

        @on("trades")
        def count(self, trade: Any) -> None:
            self.seen += 1
            if self.seen == 3:
                self.buy(quantity=1)

    first = times_ms(candles)[:2]
    times = (first[:, None] + np.array([0, 1_000, 2_000, 3_000])).ravel() * 1_000_000
    prices = candles[["open", "high", "low", "close"]].to_numpy()[:2].ravel()
    prints = Prints(times, prices, np.ones(8), np.ones(8, np.int8))
    markets = Markets((market_of(candles),), Inside(prints={"BTC/USD": prints}))
    setup = setup_with(costs=Costs(0.0, 0.0), cash=1e9)
    done = run_backtest(OnTrades(), markets, setup, check="none")
    (fill,) = done.result.fills.to_dict("records")
    assert fill["price"] == candles["close"].iloc[0]  # at the trade behind the one that it answered
    assert done.document["execution"]["trades"] is True
    assert done.document["ran_on"]["reason"] == "a strategy that answers events, trades"
