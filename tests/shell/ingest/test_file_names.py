from __future__ import annotations

import pytest

from algotrade.ingest.files.names import NamedSeries, contradicts, read_name


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("XBTUSD_1.csv", "BTC/USD", "1m"),
        ("XBTUSD_1440.csv", "BTC/USD", "1d"),
        ("ETHXBT_60.csv.gz", "ETH/BTC", "1h"),
        ("XDGUSDT_720.csv", "DOGE/USDT", "12h"),
        ("USDTUSD_240.csv", "USDT/USD", "4h"),
        ("XBTUSD.csv", "BTC/USD", ""),
        ("BTC_USD-1h.feather", "BTC/USD", "1h"),
        ("BTC_USDT-5m.json.gz", "BTC/USDT", "5m"),
        ("BTC_USDT_USDT-1h-futures.feather", "BTC/USDT:USDT", "1h"),
    ],
)
def test_names_of_the_known_forms_are_read(name: str, symbol: str, timeframe: str) -> None:
    assert read_name(name) == NamedSeries(symbol, timeframe)


@pytest.mark.parametrize(
    "name",
    ["prices.csv", "AAPL.csv", "SP500_5.csv", "XBTUSD_7.csv", "XBTUSD_99999.csv", "BTC_USDT_USDT-1h-mark.feather",
     "BTC_USDT_USDT-8h-funding_rate.feather", "../XBTUSD_1.csv", "XBTUSD_1.csv\n", "ХBTUSD_1.csv", "", "USD.csv"],
)  # fmt: skip
def test_other_names_say_nothing(name: str) -> None:
    assert read_name(name) is None


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "against"),
    [
        ("XBTUSD_60.csv", "ETH/USD", "", True),
        ("XBTUSD_60.csv", "BTC/USD", "1m", True),
        ("XBTUSD_60.csv", "BTC/USD", "1h", False),
        ("XBTUSD_60.csv", "XBT/USD", "", False),
        ("XBTUSD.csv", "BTC/USD", "1m", False),
        ("BTCUSDT_60.csv", "BTC/USDT:USDT", "1h", False),
        ("BTC_USDT_USDT-1h-futures.json", "BTC/USDT", "1h", False),
    ],
)
def test_a_name_is_held_against_what_was_given(name: str, symbol: str, timeframe: str, against: bool) -> None:
    named = read_name(name, symbol)
    assert named is not None
    assert contradicts(named, symbol, timeframe) == against


def test_a_pair_of_the_asked_letters_is_that_symbol_whatever_its_quote() -> None:
    assert read_name("XBTNOK_60.csv") is None
    assert read_name("XBTNOK_60.csv", "BTC/NOK") == NamedSeries("BTC/NOK", "1h")
    assert read_name("XBTNOK_60.csv", "ETH/NOK") is None
