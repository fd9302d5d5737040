"""Whatever way the price really went inside the bars, the account ends between the worst and the best way."""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from algotrade.engine.events import AmbiguousBar
from tests import naive_orders as naive
from tests.properties.test_orders_equal_naive import DAY, LEVELS, Program, by_engine, guards

PRICES = st.one_of(st.integers(160, 240).map(lambda halves: halves / 2), st.floats(80.0, 120.0))
RULES = st.builds(
    naive.Rules,
    taker=st.sampled_from([0.0, 0.01]),
    maker=st.sampled_from([0.0, 0.002]),
    slippage=st.sampled_from([0.0, 0.01]),
    leverage=st.sampled_from([1.0, 1.0, 10.0]),
    maintenance=st.just(0.005),
    can_short=st.just(True),
    touch=st.booleans(),
    worst=st.just(True),
)
Paths = list[list[float]]  # bars as the ways that the price really went: open, turns, close


@st.composite
def paths(draw: st.DrawFn) -> Paths:
    near = st.floats(-6.0, 6.0)
    bars: Paths = []
    for _ in range(draw(st.integers(1, 4))):
        bar = [draw(PRICES) if not bars or draw(st.booleans()) else bars[-1][-1]]
        calm = draw(st.booleans())
        for _ in range(draw(st.integers(1, 6))):
            bar.append(bar[-1] + draw(near) if calm else draw(PRICES))
        bars.append(bar)
    return bars


def asked(bars: Paths, orders: list[naive.Order | None], rules: naive.Rules) -> Program:
    """Each order at the close of a bar; the first is decided in a bar before all others, in which nothing happens."""
    candles = [naive.Candle(bar[0], max(bar), min(bar), bar[-1]) for bar in bars]
    first = bars[0][0]
    padded = [*orders, *[None] * len(bars)][: len(bars) + 1]
    asks: list[list[naive.Order | str]] = [[] if order is None else [order] for order in padded]
    return Program([naive.Candle(first, first, first, first), *candles], asks, rules)


def actual(bars: Paths, program: Program) -> float:
    """Account value at the end by the way that the price really went."""
    market = naive.Market(program.rules, 1_000.0)
    first = program.candles[0].open
    for candle, turns, asks in zip(program.candles, [[first, first], *bars], program.asks, strict=False):
        market.bar += 1
        market.at_open(candle.open)
        market = market.walked(candle, tuple(turns[1:-1]))
        market.settle(candle.close)
        for order in asks:
            assert isinstance(order, naive.Order)
            market.send(order)
    return market.cash + market.position * program.candles[len(bars)].close


def assert_bounded(bars: Paths, program: Program) -> None:
    """Up to the first bar whose ways leave different positions; behind it, nothing is promised."""
    records, _ = by_engine(program)
    found = [record for record in records if isinstance(record, AmbiguousBar)]
    diverged = [record.time // DAY for record in found if record.diverges]
    event("diverges" if diverged else "ambiguous" if found else "clear")
    bars = bars[: diverged[0]] if diverged else bars
    cut = program._replace(candles=program.candles[: len(bars) + 1], asks=program.asks[: len(bars) + 1])
    ends = [
        by_engine(cut._replace(rules=cut.rules._replace(worst=worst)))[1].engine.account.equity()
        for worst in (True, False)
    ]
    assert ends[0] - 1e-5 <= actual(bars, cut) <= ends[1] + 1e-5


@st.composite
def entries_at_the_market(draw: st.DrawFn) -> list[naive.Order | None]:
    side = draw(st.sampled_from([1, -1]))
    return [
        None if draw(st.integers(0, 2)) == 0 else naive.Order(f"n{number}", side, 1.0, guards=draw(guards()))
        for number in range(4)
    ]


@st.composite
def an_entry_inside(draw: st.DrawFn) -> naive.Order:
    kind, level = draw(st.sampled_from(["limit", "stop"])), draw(LEVELS)
    side, kept = draw(st.sampled_from([1, -1])), draw(guards())
    if kind == "limit":
        return naive.Order("n", side, 1.0, kind, limit=level, guards=kept)
    return naive.Order("n", side, 1.0, kind, stop=level, guards=kept)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(paths(), entries_at_the_market(), RULES)
def test_entries_at_the_market_with_any_bracket_end_within_the_bounds(
    bars: Paths, orders: list[naive.Order | None], rules: naive.Rules
) -> None:
    assert_bounded(bars, asked(bars, orders, rules))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(paths(), an_entry_inside(), RULES)
def test_an_entry_inside_a_bar_with_any_bracket_ends_within_the_bounds(
    bars: Paths, order: naive.Order, rules: naive.Rules
) -> None:
    assert_bounded(bars, asked(bars, [order], rules))
