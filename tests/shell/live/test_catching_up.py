"""A session whose end has long passed by the exchange's clock."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from algotrade.live.results import session_result
from algotrade.market.candles import times_ms
from algotrade.market.simulate import simulate_candles
from tests.scenarios.bracketed_cross import BracketedCross
from tests.shell.live.recorded import PAGE, RecordedExchange, trade_on_paper
from tests.shell.live.sessions import MINUTE, START, plan

HISTORY = 100


@pytest.mark.parametrize("bars", [PAGE, PAGE + 1])
async def test_every_bar_before_the_end_is_traded_however_many_answers_that_takes(tmp_path: Path, bars: int) -> None:
    last = START + (bars - 1) * MINUTE
    candles = simulate_candles("BTC/USD", "1m", START - HISTORY * MINUTE, last + PAGE * MINUTE)
    exchange = RecordedExchange(candles, last + 2 * PAGE * MINUTE)
    asked = plan(exchange=exchange.name, strategy="bracketed_cross", parameters={}, bars=None, until=last + MINUTE - 1)
    result, _ = session_result(await trade_on_paper(tmp_path, exchange, asked, BracketedCross()))
    expected = candles[candles.index <= pd.Timestamp(last, unit="ms", tz="UTC")].iloc[HISTORY:]
    assert result.times.tolist() == times_ms(expected).tolist()
