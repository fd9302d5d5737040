"""An hour of real trades, given page by page with the one at the edge twice, becomes exactly the official candle."""

from __future__ import annotations

import csv
import gzip
import os
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from algotrade.ingest.trades.proof import official_key, proof_of
from algotrade.market.candles import COLUMNS
from algotrade.store.arrivals import Evidence, write_candles
from algotrade.store.candles import read_candles
from algotrade.store.database import Database
from tests.shell.ingest.stored_trades import KEY, fetch
from tests.shell.ingest.traded_exchange import Trade, TradedExchange

FOLDER = Path(os.environ.get("ALGOTRADE_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
TRADES = FOLDER / "trades_kraken_btcusd_2019-07-01T00.csv.gz"
OFFICIAL = FOLDER / "kraken_btcusd_1h.parquet"
HOUR, HOUR_MS = 1_561_939_200_000, 3_600_000

pytestmark = pytest.mark.skipif(not TRADES.exists(), reason=f"{TRADES.name} is not here")


def real_trades() -> list[Trade]:
    """The trades of the file, less the one that is there twice."""
    with gzip.open(TRADES, "rt") as file:
        rows = list(csv.DictReader(file))
    del rows[1000]
    return [
        Trade(
            pd.Timestamp(row["timestamp"]).value,
            float(Decimal(row["price"])),
            float(Decimal(row["amount"])),
            1 if row["side"] == "buy" else -1,
        )
        for row in rows
    ]


@pytest.mark.parametrize("repeats", [0, 1])
@pytest.mark.parametrize("page", [1000, 37])
def test_it_becomes_the_official_candle(database: Database, page: int, repeats: int) -> None:
    exchange = TradedExchange(real_trades(), HOUR + HOUR_MS + 5_000, pages=(page,), repeats=repeats)
    report = fetch(exchange, database, HOUR, timeframe="1h")
    assert report.complete
    key = KEY._replace(timeframe="1h")
    rows = pd.read_parquet(OFFICIAL).set_index("timestamp").loc[[pd.Timestamp(HOUR, unit="ms", tz="UTC")]]
    official = rows[list(COLUMNS)].to_numpy().T.copy()
    assert read_candles(database, key).to_numpy().T.tolist() == official.tolist()
    covered = Evidence(covered=[(HOUR, HOUR + HOUR_MS)])
    write_candles(database, official_key(key), pd.Index([HOUR]).to_numpy("int64"), official, covered)
    proof = proof_of(database, key)
    assert proof is not None
    assert proof.chains[0].trades == int(rows["trades"].iloc[0]) == 2671
    assert proof.sentences()[1] == "1 of 1 official bars are equal"
