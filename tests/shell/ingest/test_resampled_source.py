"""A run over a timeframe that is not stored: made of finer candles, complete bars only, and the same again later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrade.config import Settings
from algotrade.config.values import Values
from algotrade.errors import AlgotradeError, FixData
from algotrade.ingest.source import DataRequest, MarketData, choose_finer, load_candles, reload_candles
from algotrade.market.candles import SeriesKey, content_hash, times_ms
from algotrade.market.simulate import simulate_candles
from algotrade.market.span import Span, parse_span, parse_time
from algotrade.market.timeframe import timeframe_ms
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.candles import list_spans
from algotrade.store.database import Database

HOUR, DAY = 3_600_000, 86_400_000
START = parse_time("2024-01-01")  # a Monday
NOWHERE = {"urls": {"api": {"public": "http://127.0.0.1:9"}}, "enableRateLimit": False, "timeout": 2000}
OFFLINE = Settings(Values.model_validate({"exchange": {"kraken": {"ccxt": NOWHERE}}}), {}, None, None)
FOUR_HOURS = DataRequest("BTC/USD", "4h")


@pytest.fixture
def db(database: Database) -> Database:
    return database


def store(
    db: Database, timeframe: str, *, exchange: str = "kraken", origin: str = "official", days: int = 60, drop: Any = ()
) -> pd.DataFrame:
    """Store simulated candles, some left out, as answered for by the exchange; return those that are stored."""
    bars = simulate_candles("BTC/USD", timeframe, START, START + days * DAY - 1)
    kept = bars.drop(bars.index[list(drop)])
    evidence = Evidence(START, (), [(START, START + days * DAY)])
    write_candles(db, SeriesKey(exchange, "BTC/USD", timeframe, origin), times_ms(kept), kept.to_numpy().T, evidence)
    return kept


def load(db: Database, request: DataRequest = FOUR_HOURS) -> MarketData:
    return load_candles(request, db, OFFLINE)


def again(db: Database, market: MarketData) -> pd.DataFrame:
    """The candles of a run as they are read for it later: from its first bar to its last."""
    times = times_ms(market.candles)
    request = FOUR_HOURS._replace(span=Span(int(times[0]), int(times[-1])))
    return reload_candles(request, market.key, db, market.resampling)


# ---- which finer candles ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("stored", "target", "source"),
    [
        (["1m", "1h"], "4h", "1h"),
        (["1m", "15m"], "4h", "15m"),
        (["3h", "1h"], "4h", "1h"),
        (["1d"], "1w", "1d"),
        (["3d", "1h"], "1w", "1h"),
    ],
)
def test_the_longest_bars_that_fit_are_joined(db: Database, stored: list[str], target: str, source: str) -> None:
    for timeframe in stored:
        store(db, timeframe, days=21)

    market = load(db, DataRequest("BTC/USD", target))

    assert market.resampling is not None
    assert market.resampling.timeframe == source
    assert market.key == ("kraken", "BTC/USD", target, "official")
    official = simulate_candles("BTC/USD", target, START, START + 21 * DAY - timeframe_ms(target))
    assert content_hash(market.candles) == content_hash(official)


def test_what_is_stored_itself_is_read_as_it_is(db: Database) -> None:
    store(db, "1h")
    store(db, "4h", days=10)

    assert (load(db).resampling, len(load(db).candles)) == (None, 60)


@pytest.mark.parametrize("timeframe", ["3h", "8h", "1d"])
def test_bars_that_do_not_fit_are_not_joined(db: Database, timeframe: str) -> None:
    store(db, timeframe)

    assert choose_finer(FOUR_HOURS, list_spans(db)) is None
    with pytest.raises(AlgotradeError):
        load(db)


def test_one_exchange_and_one_origin_are_read(db: Database) -> None:
    store(db, "1h", exchange="bitfinex")
    store(db, "1m", days=3)
    store(db, "1h", origin="import", days=20)
    store(db, "1h", origin="trades", days=20)

    market = load(db)

    assert market.key == ("kraken", "BTC/USD", "4h", "import")
    assert load(db, FOUR_HOURS._replace(origin="trades")).key.origin == "trades"
    assert load(db, FOUR_HOURS._replace(exchange="bitfinex")).key.exchange == "bitfinex"


def test_two_exchanges_have_to_be_told_apart(db: Database) -> None:
    store(db, "1h", exchange="bitfinex")
    store(db, "15m", exchange="bitstamp", days=3)

    with pytest.raises(FixData, match="stored from bitfinex, bitstamp; say which"):
        load(db)


def test_bars_that_reach_over_the_asked_span_come_before_longer_ones(db: Database) -> None:
    store(db, "1h", days=3)
    store(db, "15m", days=10)

    market = load(db, FOUR_HOURS._replace(span=parse_span("2024-01-02", "2024-01-08")))

    assert market.resampling is not None
    assert market.resampling.timeframe == "15m"


# ---- complete bars ---------------------------------------------------------------------------------------------------
def test_an_hour_without_trades_is_no_loss_and_an_outage_leaves_bars_out(db: Database) -> None:
    kept = store(db, "1h", drop=[500, *range(801, 827)])

    market = load(db)

    assert market.gap_kinds == {"exchange down": 7}
    assert market.resampling is not None
    assert market.resampling.left_out == ((START + 800 * HOUR, START + 828 * HOUR),)
    assert len(market.candles) == 60 * 6 - 7
    assert "7 bars missing: 7 exchange down (2024-02-03T08:00:00Z to 2024-02-04T08:00:00Z)" in market.notes
    whole = kept.iloc[500:503]  # 501 to 503
    (bar,) = market.candles.loc[
        market.candles.index == pd.Timestamp(START + 500 * HOUR, unit="ms", tz="UTC")
    ].to_numpy()
    assert bar[:4].tolist() == [whole.open.iloc[0], whole.high.max(), whole.low.min(), whole.close.iloc[-1]]


def test_a_run_is_read_again_as_it_was(db: Database) -> None:
    store(db, "1h", drop=[0, 500, *range(801, 827), 1439])
    market = load(db)
    some = load(db, FOUR_HOURS._replace(span=parse_span("2024-01-20T01:00", "2024-02-04T09:00")))

    assert content_hash(again(db, market)) == content_hash(market.candles)
    assert content_hash(again(db, some)) == content_hash(some.candles)
    shared = market.candles.loc[some.candles.index]
    assert shared.equals(some.candles)


def test_a_repair_does_not_change_the_candles_of_an_earlier_run(db: Database) -> None:
    store(db, "1h", drop=range(801, 827))
    market = load(db)

    store(db, "1h")

    assert load(db).gap_kinds == {}
    assert content_hash(again(db, market)) == content_hash(market.candles)


@pytest.mark.parametrize("hours", [3, 4, 5, 7, 8])
def test_the_last_bar_comes_when_its_last_hour_has(db: Database, hours: int) -> None:
    store(db, "1h", drop=range(hours, 60 * 24))

    bars = len(load(db).candles) if hours > 3 else 0

    assert bars == hours // 4
    if not bars:
        with pytest.raises(FixData, match="make a complete 4h bar from kraken"):
            load(db)


def test_a_span_names_the_open_times_of_the_bars(db: Database) -> None:
    store(db, "1h")

    times = times_ms(load(db, FOUR_HOURS._replace(span=parse_span("2024-01-02T02:00", "2024-01-02"))).candles)

    assert (times - START).tolist() == (np.arange(7, 12) * 4 * HOUR).tolist()


def test_gaps_of_stored_candles_are_told_by_kind(db: Database) -> None:
    store(db, "1h", drop=[500, *range(800, 826)])

    market = load(db, DataRequest("BTC/USD", "1h"))

    assert market.gap_kinds == {"no trades": 1, "exchange down": 26}
    assert (
        "27 bars missing: 26 exchange down (2024-02-03T08:00:00Z to 2024-02-04T09:00:00Z), 1 no trades" in market.notes
    )


def test_want_of_trades_alone_is_not_worth_a_note(db: Database) -> None:
    store(db, "1h", drop=[500])

    assert load(db, DataRequest("BTC/USD", "1h")).notes == ()
