"""What a strategy of weights may answer, what it is told where it may not; and what comes from prices to weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.account import Account, View
from algotrade.engine.events import CandleClosed
from algotrade.errors import AlgotradeError, FixCommand, FixStrategy
from algotrade.market.candles import candle_table, utc_index
from algotrade.market.moments import last_bars, moments_of, rows_of
from algotrade.strategy.allocation import closes, hold, inverse_volatility, rebalance_on, top
from algotrade.strategy.asking import Bounds
from algotrade.strategy.checks import Budget, check_portfolio
from algotrade.strategy.weights import PortfolioStrategy, decides_by_weights, plan_of, requests_for
from tests.leaks.candles import ticking_clock
from tests.leaks.rotations import CLEAN, LEAKS, BestOfTomorrow, Rotation

DAY = 86_400_000
BTC, ETH = "BTC/USD", "ETH/USD"
Weigh = Callable[[pd.DataFrame], pd.DataFrame]


def days(first: int, closes_: list[float]) -> pd.DataFrame:
    close = np.array(closes_, np.float64)
    return candle_table(DAY * (first + np.arange(len(close))), [close] * 4 + [np.ones(len(close))])


def two(late: int = 2) -> dict[str, pd.DataFrame]:
    """Bitcoin from day 0 to 5, ether from day `late`."""
    return {BTC: days(0, [1, 2, 3, 4, 5, 6]), ETH: days(late, [10.0] * (6 - late))}


def weighing(weigh: Weigh, **bounds: object) -> PortfolioStrategy:
    """A strategy that makes its weights of the closes."""

    class Weighing(PortfolioStrategy):
        def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
            return weigh(closes(candles))

    strategy = Weighing()
    strategy.bounds = Bounds(**bounds)  # type: ignore[arg-type]
    strategy.begin([BTC, ETH], "all", timeframe="1d")
    return strategy


def flat(prices: pd.DataFrame) -> pd.DataFrame:
    return prices * 0.0


def with_value(day: int, symbol: str, value: float) -> Weigh:
    def weigh(prices: pd.DataFrame) -> pd.DataFrame:
        weights = prices.fillna(0.0) * 0.0
        weights.loc[weights.index[day], symbol] = value
        return weights

    return weigh


# ---- what may be answered -------------------------------------------------------------------------------------------
def test_nan_before_the_first_weight_is_nothing() -> None:
    weights = weighing(lambda prices: prices.notna().mul(0.5).where(prices.notna())).weights(two())
    plan = plan_of(weights, [BTC, ETH])
    assert plan.weights[:, 1].tolist() == [0.0, 0.0, 0.5, 0.5, 0.5, 0.5]
    assert not plan.rebalance.any()
    assert plan.times.tolist() == [DAY * day for day in range(6)]


def test_columns_may_come_in_any_order() -> None:
    strategy = weighing(lambda prices: flat(prices).fillna(0.0)[[ETH, BTC]].assign(**{BTC: 1.0}))
    assert plan_of(strategy.weights(two()), [BTC, ETH]).weights[0].tolist() == [1.0, 0.0]


def test_shares_that_add_up_to_one_on_paper_are_no_leverage() -> None:
    third = weighing(lambda prices: flat(prices).fillna(0.0).assign(**{BTC: 0.1 + 0.2, ETH: 0.0}) + 0.7 * (prices > 0))
    with pytest.raises(FixStrategy, match=r"add up to 1\.7"):
        third.weights(two())
    tenths = weighing(lambda prices: pd.DataFrame({BTC: 0.7 + 0.1, ETH: 0.2 + 1e-12}, prices.index), leverage=1.0)
    tenths.weights(two(late=0))


@pytest.mark.parametrize(
    ("weigh", "sentence"),
    [
        (with_value(3, ETH, math.nan), "the weight of ETH/USD at 1970-01-04T00:00:00Z is nan; NaN only comes before"),
        (with_value(4, BTC, math.inf), "the weight of BTC/USD at 1970-01-05T00:00:00Z is inf"),
        (with_value(2, BTC, 1.2), "the weights at 1970-01-03T00:00:00Z add up to 1.2, above the leverage of 1"),
        (with_value(1, ETH, 0.5), "the weight of ETH/USD at 1970-01-02T00:00:00Z is 0.5, but its first candle is at"),
        (lambda prices: flat(prices)[[BTC]], "no column 'ETH/USD'; give 0.0"),
        (lambda prices: flat(prices).rename(columns={ETH: "ETH/USDT"}), "'ETH/USDT', which is not traded here"),
        (lambda prices: flat(prices).iloc[1:], r"the times of all candles as their index (6 moments), given 5 rows"),
        (lambda prices: flat(prices).reset_index(drop=True), "the times of all candles as their index"),
        (lambda prices: flat(prices).assign(rebalance=1.0), "'rebalance' is True or False, given float64"),
        (lambda prices: flat(prices).astype(object).assign(**{BTC: "all"}), "weights are numbers, given"),
        (lambda prices: prices[BTC], "a table with a column for each symbol, given Series"),
        (lambda prices: pd.concat([flat(prices), flat(prices)[[BTC]]], axis=1), "a column twice"),
    ],
)
def test_a_wrong_answer_is_told_with_its_bar_and_what_to_do(weigh: Weigh, sentence: str) -> None:
    with pytest.raises(FixStrategy) as caught:
        weighing(weigh).weights(two())
    assert sentence in caught.value.message
    assert caught.value.message.startswith("weighing: ")


def test_a_short_position_names_the_flag() -> None:
    with pytest.raises(FixCommand, match="short in BTC/USD at 1970-01-03") as caught:
        weighing(with_value(2, BTC, -0.5)).weights(two())
    assert "--allow-short" in (caught.value.hint or "")
    weighing(with_value(2, BTC, -0.5), allow_short=True).weights(two())
    with pytest.raises(FixStrategy, match=r"add up to 1\.5"):
        weighing(with_value(2, BTC, -1.5), allow_short=True).weights(two())


def test_what_its_own_code_raises_comes_with_the_line() -> None:
    with pytest.raises(FixStrategy, match=r"weighing raised KeyError: .*test_weights\.py line"):
        weighing(lambda prices: prices["DOGE/USD"]).weights(two())


def test_it_must_say_how_it_weighs() -> None:
    class Nothing(PortfolioStrategy):
        pass

    with pytest.raises(FixStrategy, match="must define generate_weights"):
        Nothing().weights(two())


# ---- asked moment by moment -----------------------------------------------------------------------------------------
def closed(symbol: str, day: int, price: float, *, more: bool) -> CandleClosed:
    return CandleClosed(symbol, DAY * day, price, price, price, price, 1.0, more)


def test_it_is_asked_once_the_last_candle_of_a_moment_is_known() -> None:
    strategy, view = weighing(lambda prices: prices.notna().mul(0.5)), View(Account(100.0), list, str)
    assert strategy.handle(closed(BTC, 0, 1.0, more=True), view) == []
    requests = strategy.handle(closed(ETH, 0, 10.0, more=False), view)
    assert [(each.symbol, each.exposure) for each in requests] == [(BTC, 0.5), (ETH, 0.5)]  # type: ignore[union-attr]
    requests = strategy.handle(closed(ETH, 1, 10.0, more=False), view)
    assert [each.symbol for each in requests] == [BTC, ETH]  # type: ignore[union-attr]


def test_it_is_given_the_candles_of_the_last_moments_alone() -> None:
    seen: list[dict[str, int]] = []

    class Looks(PortfolioStrategy):
        def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
            seen.append({symbol: len(table) for symbol, table in candles.items()})
            return closes(candles).fillna(0.0) * 0.0

    strategy, view = Looks(), View(Account(100.0), list, str)
    strategy.begin([BTC, ETH], 3, timeframe="1d")
    strategy.handle(closed(ETH, 0, 1.0, more=False), view)
    for day in range(1, 6):
        strategy.handle(closed(BTC, day, 1.0, more=False), view)
    assert seen == [
        {BTC: 0, ETH: 1},
        {BTC: 1, ETH: 1},
        {BTC: 2, ETH: 1},
        {BTC: 3, ETH: 0},
        {BTC: 3, ETH: 0},
        {BTC: 3, ETH: 0},
    ]


def test_what_is_flat_and_shall_be_is_not_rebalanced() -> None:
    account = Account(100.0)
    account.positions[ETH] = 1.0
    requests = requests_for([BTC, ETH, "SOL/USD"], [0.0, 0.0, 0.5], View(account, list, str), rebalance=True)
    assert [each.rebalance for each in requests] == [False, True, True]
    assert not any(each.rebalance for each in requests_for([BTC], [1.0], View(account, list, str), rebalance=False))


def test_a_method_of_its_own_makes_it_decide_bar_by_bar() -> None:
    class Careful(Rotation):
        def follow_weights(self, candle: CandleClosed) -> None:
            super().follow_weights(candle)

    assert decides_by_weights(Rotation())
    assert not decides_by_weights(Careful())


# ---- from prices to weights -----------------------------------------------------------------------------------------
def test_a_close_stays_while_bars_are_missing_and_not_for_ever() -> None:
    index = utc_index(np.arange(8) * DAY)
    tables = {BTC: days(0, [1.0] * 8), ETH: days(1, [7.0] * 6).drop(index[[3, 4, 5]])}
    assert closes(tables, missed=2)[ETH].fillna(0.0).tolist() == [0, 7, 7, 7, 7, 0, 7, 7]
    assert closes(tables, missed=0)[ETH].fillna(0.0).tolist() == [0, 7, 7, 0, 0, 0, 7, 0]
    assert closes(tables)[ETH].fillna(0.0).tolist() == [0, 7, 7, 7, 7, 7, 7, 7]
    assert closes({}).empty


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    index = pd.date_range("2024-01-29", "2024-02-13", freq="D", tz="UTC")  # a Monday to a Tuesday
    assert index[rebalance_on(index, "1w").to_numpy()].day.tolist() == [5, 12]
    assert index[rebalance_on(index, "1M").to_numpy()].day.tolist() == [1]
    assert index[rebalance_on(index, "2d").to_numpy()].day.tolist() == [30, 1, 3, 5, 7, 9, 11, 13]
    without_monday = index[index.day != 5]
    assert without_monday[rebalance_on(without_monday, "1w").to_numpy()].day.tolist() == [6, 12]
    with pytest.raises(AlgotradeError, match="not a timeframe"):
        rebalance_on(index, "weekly")
    assert rebalance_on(index[:0], "1w").empty


def test_weights_are_held_between_the_rows() -> None:
    index = utc_index(np.arange(5) * DAY)
    weights = pd.DataFrame({BTC: [0.1, 0.2, 0.3, 0.4, 0.5], ETH: [0.0, math.nan, 0.0, 0.6, 0.0]}, index)
    held = hold(weights, pd.Series([False, True, False, True, False], index))
    assert held[BTC].fillna(-1.0).tolist() == [-1.0, 0.2, 0.2, 0.4, 0.4]
    assert held[ETH].fillna(-1.0).tolist() == [-1.0, -1.0, -1.0, 0.6, 0.6]
    with pytest.raises(FixStrategy, match="same index"):
        hold(weights, pd.Series([True], index[:1]))


def test_the_best_have_equal_weights_and_the_first_goes_before_its_equals() -> None:
    scores = pd.DataFrame({"A": [1.0, 2.0, math.nan], "B": [1.0, 3.0, math.nan], "C": [1.0, 1.0, -5.0]})
    assert top(scores, 2).to_numpy().tolist() == [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 0.5]]
    assert top(scores, 1).to_numpy().tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert top(scores, 9).iloc[0].tolist() == [1 / 9] * 3
    with pytest.raises(FixStrategy, match="at least 1, given 0"):
        top(scores, 0)


def test_among_many_equals_the_first_are_taken() -> None:
    scores = pd.DataFrame(np.tile([1.0, 2.0], (1, 40)))
    assert np.flatnonzero(top(scores, 10).to_numpy()[0]).tolist() == list(range(1, 21, 2))


def test_a_symbol_that_missed_the_first_moments_of_a_window_has_begun_all_the_same() -> None:
    tables = {BTC: days(0, [1.0] * 6), ETH: days(0, [1.0] * 6).drop(utc_index(np.array([3 * DAY])))}
    strategy = weighing(lambda prices: pd.DataFrame(0.5, prices.index, prices.columns))
    assert len(strategy.weights(tables, since=3 * DAY)) == 3


def test_shares_by_inverse_volatility_are_what_a_plain_sum_gives() -> None:
    walk = np.random.default_rng(3).normal(0.0, 0.01, (40, 3)) * [1.0, 2.0, 5.0]
    prices = pd.DataFrame(100.0 * np.exp(np.cumsum(walk, axis=0)), columns=["A", "B", "C"])
    prices.iloc[:25, 2] = math.nan
    weights = inverse_volatility(prices, 10)
    deviation = prices.pct_change(fill_method=None).rolling(10).std()
    plain = (1 / deviation).div((1 / deviation).sum(axis=1), axis=0).fillna(0.0)
    np.testing.assert_allclose(weights, plain, rtol=1e-9)
    assert weights.iloc[:10].to_numpy().sum() == 0.0
    assert weights["C"].iloc[:35].eq(0.0).all()
    assert inverse_volatility(prices * 0.0 + 5.0, 10).to_numpy().sum() == 0.0
    with pytest.raises(FixStrategy, match="at least 2"):
        inverse_volatility(prices, 1)


# ---- moments --------------------------------------------------------------------------------------------------------
def test_moments_are_the_union_of_all_times() -> None:
    tables = {BTC: days(0, [1, 2, 3]), ETH: days(2, [1, 2]), "SOL/USD": days(9, [])}
    moments = moments_of(tables)
    assert (moments // DAY).tolist() == [0, 1, 2, 3]
    assert moments_of({}).tolist() == []
    ether, with_a_gap = moments[2:], moments[[0, 3]]
    assert rows_of(ether, moments).tolist() == [2, 3]
    assert rows_of(with_a_gap, moments).tolist() == [0, 3]
    assert last_bars(ether, moments).tolist() == [-1, -1, 0, 1]
    assert last_bars(moments[1:3], moments).tolist() == [-1, 0, 1, 1]
    assert last_bars(with_a_gap, moments).tolist() == [0, 0, 0, 1]
    assert last_bars(moments[:0], moments).tolist() == [-1] * 4


# ---- the checks -----------------------------------------------------------------------------------------------------
def ragged(bars: int = 160) -> dict[str, pd.DataFrame]:
    """Four walks: whole, late, one that ends early, one with gaps."""
    walks = {}
    for place, symbol in enumerate((BTC, ETH, "SOL/USD", "XRP/USD")):
        moves = np.random.default_rng(place).normal(0.001, 0.03, bars)
        walks[symbol] = days(19_000, (100.0 * np.exp(np.cumsum(moves))).tolist())
    walks[ETH] = walks[ETH].iloc[30:]
    walks["SOL/USD"] = walks["SOL/USD"].iloc[:110]
    walks["XRP/USD"] = walks["XRP/USD"].drop(walks["XRP/USD"].index[[40, 41, 42, 80]])
    return walks


def checked(strategy: PortfolioStrategy) -> dict[str, bool | None]:
    tables = ragged()
    strategy.begin(list(tables), strategy.warmup, timeframe="1d")
    weights = strategy.weights(tables)
    checks = check_portfolio(strategy, tables, weights, Budget(full=True), ticking_clock())
    return {name: check.passed for name, check in checks.named.items()}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(leak: type[PortfolioStrategy]) -> None:
    assert checked(leak())["look_ahead"] is False


@pytest.mark.parametrize("clean", CLEAN)
def test_a_clean_strategy_passes_every_check(clean: type[PortfolioStrategy]) -> None:
    assert set(checked(clean()).values()) == {True}


def test_a_leak_is_told_with_its_symbol_and_bar() -> None:
    strategy, tables = BestOfTomorrow(), ragged()
    strategy.begin(list(tables), None, timeframe="1d")
    detail = check_portfolio(strategy, tables, strategy.weights(tables), Budget(), ticking_clock()).look_ahead.detail
    assert detail.startswith("the weight of ")
    assert "with all bars known" in detail


def test_a_warm_up_that_is_too_short_is_told() -> None:
    class Short(Rotation):
        warmup = 21

    assert checked(Short())["warm_up"] is False


def test_a_strategy_that_spoils_its_candles_is_told() -> None:
    class Spoils(Rotation):
        def generate_weights(self, candles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
            weights = super().generate_weights(candles)
            candles[ETH]["close"] = 1.0
            return weights

    assert checked(Spoils())["purity"] is False
