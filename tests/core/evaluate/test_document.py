from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.setup import Setup
from algotrade.engine.fills import Costs
from algotrade.errors import FixData
from algotrade.evaluate.document import SCHEMA, open_position_of, run_document
from algotrade.evaluate.executions import Rejection
from algotrade.evaluate.kept import result_of_document
from algotrade.evaluate.provenance import Provenance
from algotrade.evaluate.result import Result
from algotrade.evaluate.rows import fill_rows, target_rows, targets_of_rows, without_nan
from algotrade.market.candles import SeriesKey, candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
CLOSES = [100.0, 101.5, 99.25, 103.0, 107.75, 104.5, 98.0, 99.5]
TARGETS = [math.nan, 1.0, 1.0, 0.0, 0.5, 0.5, 0.0, 1.0]
KEYS = {
    "schema", "run", "data", "strategy", "costs", "instrument", "calendar", "summary", "buy_and_hold", "checks",
    "round_trips", "open_position", "fills", "targets", "rejections", "versions", "warnings", "limits", "equity_hash",
    "strategies", "execution", "ran_on", "bounds", "ruined_at", "charges", "ambiguous_bars", "markets", "parts",
}  # fmt: skip
DATA_KEYS = {
    "exchange", "symbol", "timeframe", "origin", "start", "end", "bars", "gaps", "gap_kinds", "resampled_from",
    "left_out", "simulated", "hash", "blocks",
}  # fmt: skip
SUMMARY_KEYS = [
    "final_equity", "total_return", "annual_return", "annual_volatility", "sharpe", "sortino", "max_drawdown", "calmar",
    "round_trips", "win_rate", "exposure", "fees_paid", "buy_and_hold_return", "borrow_paid", "funding_paid",
    "maker_share", "ambiguous_bars",
]  # fmt: skip
ROUND_TRIP_KEYS = {
    "entry_time", "entry_price", "exit_time", "exit_price", "side", "quantity", "profit", "return", "bars", "fees",
    "charges", "exit_reason", "path_dependent",
}  # fmt: skip


def candles_of(closes: list[float], *, skip: tuple[int, ...] = ()) -> pd.DataFrame:
    """Daily candles that open at the close before; days in `skip` are missing."""
    days = [day for day in range(len(closes) + len(skip)) if day not in skip]
    close = np.array(closes)
    open_ = np.concatenate([close[:1], close[:-1]])
    rows = (open_, np.maximum(open_, close), np.minimum(open_, close), close, np.ones(len(close)))
    return candle_table(np.array(days, np.int64) * DAY, rows)


def result_over(candles: pd.DataFrame, targets: list[float], **changes: Any) -> Result:
    signals = pd.DataFrame({"signal": targets}, index=candles.index)
    setup = Setup((Instrument("BTC/USD"),), "1d", costs=Costs(0.0026, 0.0005))._replace(**changes)
    wanted = signals["signal"].fillna(0.0).to_numpy()
    run = run_kernel(candles, wanted, setup)
    return Result(**{**{name: getattr(run, name) for name in Result.__dataclass_fields__}, "signals": signals})


def document_of(result: Result, **changes: Any) -> dict[str, Any]:
    provenance = Provenance(
        key=SeriesKey("kraken", "BTC/USD", "1d"),
        instrument=Instrument("BTC/USD"),
        bounds=Bounds(2.0, allow_short=True),
        simulated=False,
        strategy={"name": "cross", "parameters": {"fast": 3}, "hash": "ab", "source": "text"},
        warmup=20,
        checks={"purity": {"passed": True, "covered": 8, "total": 8, "detail": "the same again"}},
        versions={"python": "3.11.0"},
    )
    return run_document(result, provenance._replace(**changes))


@pytest.fixture
def result() -> Result:
    return result_over(candles_of(CLOSES), TARGETS)


def test_a_document_has_the_published_keys(result: Result) -> None:
    document = document_of(result)
    assert (document["schema"], document["run"]) == (SCHEMA, None)
    assert set(document) == KEYS
    assert set(document["data"]) == DATA_KEYS
    assert list(document["summary"]) == list(document["buy_and_hold"]) == SUMMARY_KEYS
    assert set(document["strategy"]) == {"name", "parameters", "hash", "source", "warmup"}
    assert document["costs"] == {
        **Costs(0.0026, 0.0005)._asdict(), "fee_schedule": [], "cash": 10_000.0, "leverage": 2.0, "allow_short": True,
    }  # fmt: skip
    assert {frozenset(row) for row in document["round_trips"]} == {frozenset(ROUND_TRIP_KEYS)}


def test_times_are_iso_in_utc_and_missing_bars_are_counted() -> None:
    data = document_of(result_over(candles_of(CLOSES, skip=(2, 5)), TARGETS))["data"]
    assert (data["start"], data["end"]) == ("1970-01-01T00:00:00Z", "1970-01-10T00:00:00Z")
    assert (data["bars"], data["gaps"]) == (8, 2)


def test_the_documents_figures_are_the_results(result: Result) -> None:
    document = document_of(result)
    assert document["summary"]["final_equity"] == result.equity_values[-1]
    assert document["summary"]["round_trips"] == len(document["round_trips"]) == 2
    first = document["round_trips"][0]
    assert (first["entry_time"], first["exit_time"]) == ("1970-01-03T00:00:00Z", "1970-01-05T00:00:00Z")
    assert document["fills"][0][:2] == [2 * DAY, 1]


def test_what_is_undefined_is_null_and_the_document_is_json(result: Result) -> None:
    flat = document_of(result_over(candles_of(CLOSES), [0.0] * 8))
    assert flat["summary"]["sharpe"] is None
    assert flat["summary"]["win_rate"] is None
    for document in (flat, document_of(result)):
        assert json.loads(json.dumps(document, allow_nan=False)) == document


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (math.nan, None),
        (np.float64("nan"), None),
        (np.int64(3), 3),
        (np.bool_(True), True),
        ({"a": [1.5, (math.nan, "x")]}, {"a": [1.5, [None, "x"]]}),
        (math.inf, None),
        (-math.inf, None),
        (None, None),
    ],
)
def test_values_become_plain(value: Any, plain: Any) -> None:
    assert without_nan(value) == plain
    assert type(without_nan(value)) is type(plain)


def test_a_kept_document_gives_the_same_result_bit_for_bit(result: Result) -> None:
    kept = json.loads(json.dumps(document_of(result), sort_keys=True, separators=(",", ":")))
    again = result_of_document(kept, candles_of(CLOSES))
    assert np.array_equal(again.equity_values, result.equity_values)
    for column, original in zip(again.filled, result.filled, strict=True):
        assert np.array_equal(column, original)
        assert column.dtype == original.dtype
    assert again.summary == result.summary
    assert again.round_trips.equals(result.round_trips)
    assert (again.costs, again.cash, again.timeframe) == (result.costs, result.cash, result.timeframe)
    assert again.rejections == result.rejections


def test_a_run_without_a_fill_is_read_again(result: Result) -> None:
    flat = result_over(candles_of(CLOSES), [0.0] * 8)
    again = result_of_document(document_of(flat), candles_of(CLOSES))
    assert np.array_equal(again.equity_values, np.full(8, 10_000.0))
    assert len(again.filled.bar) == 0


def test_ruin_is_told_with_the_bar_at_whose_close_nothing_was_left(result: Result) -> None:
    equity = np.array([10_000.0, 9_000.0, 500.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    document = document_of(dataclasses.replace(result, equity_values=equity))
    assert document["ruined_at"] == "1970-01-04T00:00:00Z"
    assert document["summary"]["max_drawdown"] == -1.0


def test_an_account_that_lives_is_not_called_ruined(result: Result) -> None:
    assert document_of(result)["ruined_at"] is None
    assert document_of(result)["warnings"] == []


def test_refusals_survive() -> None:
    refused = result_over(candles_of(CLOSES), TARGETS, instruments=(Instrument("BTC/USD", min_notional=1e9),))
    document = document_of(refused)
    assert document["rejections"][0] == {"time": "1970-01-03T00:00:00Z", "reason": "below_min_notional", "detail": ""}
    again = result_of_document(document, candles_of(CLOSES))
    assert again.rejections == refused.rejections
    assert again.rejections[0] == Rejection(2 * DAY, "below_min_notional")


@pytest.mark.parametrize(
    "changed",
    [candles_of([*CLOSES, 99.0]), candles_of(CLOSES[:-1]), candles_of([*CLOSES[:-1], 99.50000001])],
    ids=["a bar more", "a bar less", "another value"],
)
def test_changed_candles_are_refused(result: Result, changed: pd.DataFrame) -> None:
    with pytest.raises(FixData, match=r"kraken BTC/USD 1d are no longer those of the run") as caught:
        result_of_document(document_of(result), changed)
    assert caught.value.hint == "algotrade backtest --symbol BTC/USD --timeframe 1d"


def test_targets_are_kept_as_their_changes_and_come_back_whole(result: Result) -> None:
    rows = target_rows(result)
    assert rows == [[DAY, 1.0], [3 * DAY, 0.0], [4 * DAY, 0.5], [6 * DAY, 0.0], [7 * DAY, 1.0]]
    assert targets_of_rows(rows, result.times).tolist() == [0.0, *TARGETS[1:]]


def test_a_first_bar_may_already_have_a_target() -> None:
    whole = result_over(candles_of(CLOSES), [1.0] * 8)
    assert target_rows(whole) == [[0, 1.0]]
    assert targets_of_rows([[0, 1.0]], whole.times).tolist() == [1.0] * 8


def test_a_strategy_that_sends_orders_has_no_targets(result: Result) -> None:
    own = Result(**{**{name: getattr(result, name) for name in Result.__dataclass_fields__}, "signals": None})
    assert target_rows(own) is None
    assert document_of(own)["targets"] is None
    assert targets_of_rows([], result.times).tolist() == [0.0] * 8


def test_a_fill_is_a_row_of_its_bar_and_plain_numbers(result: Result) -> None:
    row = fill_rows(result.filled, result.times)[0]
    assert [type(value) for value in row] == [int, int, float, float, float, int, str, bool, float, int]
    assert row[5:] == [row[0], "signal", False, 0.0, 0]
    assert row[0] == int(result.times[result.filled.bar[0]])


def test_what_is_held_at_the_end_is_marked_at_the_last_close() -> None:
    candles = candles_of([10.0, 10.0, 12.0])
    held = open_position_of(result_over(candles, [0.5, 0.5, 0.5], costs=Costs(0.0, 0.0)))
    assert held == {
        "side": "long",
        "quantity": 500.0,
        "entry_time": "1970-01-02T00:00:00Z",
        "entry_price": 10.0,
        "price": 12.0,
        "profit": 1000.0,
    }
    assert open_position_of(result_over(candles, [0.5, 0.0, 0.0])) is None
