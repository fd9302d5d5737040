"""Two symbols in one account, worked on paper."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from algotrade.engine.fills import Costs
from algotrade.engine.risk import Limits
from algotrade.evaluate.document import late_and_early, run_document
from algotrade.evaluate.executions import Charges, fills_of, no_ambiguous_bars, no_charges
from algotrade.evaluate.kept import result_of_document
from algotrade.evaluate.portfolio import PortfolioResult, Traded, assemble
from algotrade.evaluate.provenance import MarketSource, Provenance
from algotrade.market.candles import SeriesKey, candle_table
from algotrade.market.instrument import Instrument
from algotrade.strategy.signals import Bounds

DAY = 86_400_000
BTC, ETH = "BTC/USD", "ETH/USD"


def table(first: int, closes: list[float]) -> pd.DataFrame:
    times = (first + np.arange(len(closes), dtype=np.int64)) * DAY
    return candle_table(times, (closes, closes, closes, closes, np.ones(len(closes))))


def portfolio(charges: Charges | None = None, **tables: pd.DataFrame) -> PortfolioResult:
    """On day 1 buys 2 BTC at 100, on day 2 buys 10 ETH at 20, on day 3 sells the BTC at 130; a fee of 1 each."""
    candles = {BTC: table(0, [100.0, 100.0, 120.0, 130.0]), ETH: table(2, [20.0, 25.0, 30.0])} | tables
    filled = fills_of(
        np.array([1, 2, 3]),
        np.array([1, 1, -1]),
        np.array([2.0, 10.0, 2.0]),
        np.array([100.0, 20.0, 130.0]),
        np.ones(3),
        part=np.array([0, 1, 0], np.int16),
    )
    traded = [Traded(symbol, "", each, 1000.0, None, no_ambiguous_bars(), ()) for symbol, each in candles.items()]
    shared = {"costs": Costs(0.01, 0.0), "timeframe": "1d", "calendar": "24/7"}
    return assemble(traded, filled, charges or no_charges(), shared)


def test_the_account_is_marked_at_the_last_close_of_every_symbol() -> None:
    result = portfolio()
    assert result.times.tolist() == [0, DAY, 2 * DAY, 3 * DAY, 4 * DAY]
    # cash 1000, 799, 598, 857, 857; BTC ends on day 3, ETH begins on day 2
    assert result.equity.tolist() == [1000, 799 + 200, 598 + 240 + 200, 857 + 250, 857 + 300]
    assert result.equity.index.name == "time"


def test_a_part_is_what_the_account_would_be_with_its_trades_alone() -> None:
    btc, eth = portfolio().parts
    assert btc.result.equity_values.tolist() == [1000, 999, 1039, 1058]
    assert eth.result.equity_values.tolist() == [999, 1049, 1099]
    assert (btc.profit, eth.profit) == (58, 99)
    assert eth.result.filled.bar.tolist() == [0]


def test_tables_name_the_symbol_and_profits_add_up() -> None:
    result = portfolio()
    assert result.fills["symbol"].tolist() == [BTC, ETH, BTC]
    (trip,) = result.round_trips.to_dict("records")
    assert (trip["symbol"], trip["profit"], trip["bars"]) == (BTC, 58.0, 2)
    assert sum(part.profit for part in result.parts) == result.summary["final_equity"] - 1000 == 157


def test_exposure_counts_a_bar_in_which_anything_is_held() -> None:
    assert portfolio().summary["exposure"] == pytest.approx(4 / 5)


def test_buying_and_holding_shares_the_cash_equally_among_the_symbols() -> None:
    result = portfolio()
    btc = 500 / (100 * 1.01)  # bought at the second open of each
    eth = 500 / (25 * 1.01)
    assert result.held.equity.tolist() == pytest.approx(
        [1000, 500 + btc * 100, 500 + btc * 120, btc * 130 + eth * 25, btc * 130 + eth * 30]
    )
    assert result.summary["buy_and_hold_return"] == pytest.approx((btc * 130 + eth * 30) / 1000 - 1)


def test_a_fill_of_a_symbol_without_a_bar_then_belongs_to_its_last_one_and_keeps_its_time() -> None:
    """An account that is closed sells what it holds also where that market is silent."""
    result = portfolio(**{BTC: table(0, [100.0, 100.0, 120.0])})
    sold = result.parts[0].result
    assert sold.filled.bar.tolist() == [1, 2]
    assert sold.fills["time"].iloc[-1].value == 3 * DAY * 1_000_000


def test_what_holding_cost_is_charged_to_its_part() -> None:
    charges = Charges(np.array([3]), np.zeros(1, np.int16), np.array([5.0]), np.array([3]), np.ones(1, np.int16))
    btc, eth = portfolio(charges).parts
    assert (btc.profit, eth.profit) == (58, 94)
    assert eth.result.charges.fills_before.tolist() == [1]


def test_symbols_that_begin_later_or_end_earlier_are_told() -> None:
    assert late_and_early(portfolio()) == [
        "BTC/USD ends earlier than the others, on 1970-01-04: what was held of it then is marked at its last close",
        "ETH/USD begins later than the others, on 1970-01-03",
    ]
    assert late_and_early(portfolio().parts[0].result) == []


def test_a_kept_portfolio_is_read_again() -> None:
    result = portfolio()
    sources = tuple(MarketSource(SeriesKey("demo", symbol, "1d", "demo"), Instrument(symbol)) for symbol in (BTC, ETH))
    provenance = Provenance(
        sources[0].key,
        Instrument(BTC),
        Bounds(),
        False,
        {"name": "two"},
        None,
        {},
        {},
        limits=Limits(),
        markets=sources,
    )
    document = run_document(result, provenance)
    assert (document["data"]["symbol"], document["instrument"]) == ("BTC/USD + ETH/USD", None)
    assert [part["profit"] for part in document["parts"]] == [58, 99]
    again = result_of_document(document, {part.symbol: part.result.candles for part in result.parts})
    assert isinstance(again, PortfolioResult)
    assert again.equity_values.tolist() == result.equity_values.tolist()
    assert run_document(again, provenance) == document


def test_nothing_left_is_ruin_from_that_bar_on() -> None:
    assert portfolio().ruined_at is None
    ruined = dataclasses.replace(portfolio(), equity_values=np.array([1000.0, 500.0, 0.0, 0.0, 0.0]))
    assert ruined.ruined_at == 2 * DAY
    assert ruined.summary["total_return"] == -1.0
