"""[costs]: from a file, a variable or a flag to what the engine charges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from algotrade.config import Settings, load_settings
from algotrade.config.costs import costs_of
from algotrade.engine.fills import Costs
from algotrade.errors import AlgotradeError
from algotrade.market.instrument import Instrument

UNKNOWN = Instrument("BTC/USD")
CHEAP = Instrument("ETH/USD", taker_fee=0.0026, maker_fee=0.0016)
DEAR = Instrument("SOL/USD", taker_fee=0.005, maker_fee=0.001)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def settings_of(project: Path, text: str, **flags: Any) -> Settings:
    (project / "algotrade.toml").write_text(text)
    return load_settings({f"costs.{name}": value for name, value in flags.items()})


def charged(settings: Settings, *instruments: Instrument) -> Costs:
    defaults = settings.defaults
    return costs_of(
        settings.costs, fee_rate=defaults.fee, slippage_rate=defaults.slippage, instruments=instruments or (UNKNOWN,)
    )


def test_without_settings_a_run_costs_what_the_engine_takes_for_granted(project: Path) -> None:
    assert charged(load_settings()) == Costs(maker_fee_rate=0.004)


def test_every_cost_of_the_engine_can_be_set(project: Path) -> None:
    text = """
    [defaults]
    fee = 0.002
    slippage = 0.001
    [costs]
    maker_fee = 0.0015
    spread = 0.0002
    impact = 0.1
    max_volume_share = 0.05
    latency_bars = 1
    latency_ms = 250
    borrow_rate = 0.08
    maintenance_rate = 0.01
    fee_in_base = true
    schedule = [[0, 0.0025, 0.004], [50000, 0.002, 0.0035]]
    """
    assert charged(settings_of(project, text)) == Costs(
        fee_rate=0.002,
        slippage_rate=0.001,
        maker_fee_rate=0.0015,
        spread_rate=0.0002,
        impact_rate=0.1,
        max_volume_share=0.05,
        fee_schedule=((0.0, 0.0025, 0.004), (50_000.0, 0.002, 0.0035)),
        fee_in_base=True,
        borrow_rate=0.08,
        maintenance_rate=0.01,
        latency_bars=1,
        latency_ms=250,
    )


def test_a_flag_beats_a_variable_and_a_variable_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[costs]\nspread = 0.001\nimpact = 0.1\nborrow_rate = 0.1"
    monkeypatch.setenv("ALGOTRADE_COSTS_SPREAD", "0.002")
    monkeypatch.setenv("ALGOTRADE_COSTS_IMPACT", "0.2")
    monkeypatch.setenv("ALGOTRADE_COSTS_SCHEDULE", "[[0, 0.001, 0.002]]")
    settings = settings_of(project, text, spread=0.003)
    costs = charged(settings)
    assert (costs.spread_rate, costs.impact_rate, costs.borrow_rate) == (0.003, 0.2, 0.1)
    assert costs.fee_schedule == ((0.0, 0.001, 0.002),)
    assert settings.origin_of("costs.spread") == "--spread"


@pytest.mark.parametrize(
    ("fee", "maker_fee", "markets", "expected"),
    [
        (None, None, [UNKNOWN], (0.004, 0.004)),
        (None, None, [CHEAP], (0.0026, 0.0016)),
        (None, None, [CHEAP, DEAR], (0.005, 0.0016)),  # the dearest of each
        (None, 0.0, [CHEAP], (0.0026, 0.0)),
        (0.001, None, [CHEAP], (0.001, None)),  # who names a fee means it for every fill
        (0.001, 0.0005, [CHEAP], (0.001, 0.0005)),
    ],
)
def test_fees_are_those_given_else_the_markets_own(
    project: Path, fee: float | None, maker_fee: float | None, markets: list[Instrument], expected: tuple[float, float]
) -> None:
    settings = load_settings({"defaults.fee": fee, "costs.maker_fee": maker_fee})
    costs = charged(settings, *markets)
    assert (costs.fee_rate, costs.maker_fee_rate) == expected


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("spread = 1.0", "spread = 1.0 in [costs] (algotrade.toml:2): must be less than 1"),
        ("spread = nan", "spread = nan in [costs]"),
        ("impact = -0.1", "impact = -0.1 in [costs]"),
        ("impact = inf", "impact = inf in [costs]"),
        ("latency_bars = 1.5", "latency_bars = 1.5 in [costs]"),
        ("max_volume_share = 1.1", "max_volume_share = 1.1 in [costs]"),
        ("fee_in_base = 1", "fee_in_base = 1 in [costs]"),
        ("spred = 0.1", "unknown key 'spred' in [costs] (algotrade.toml:2). Did you mean 'spread'?"),
        ("schedule = 0.1", "must be rows of [volume of 30 days, maker fee, taker fee]"),
        ("schedule = [[0, 0.1]]", "must be rows of [volume of 30 days, maker fee, taker fee]"),
        ("schedule = [[0, 0.1, 2.0]]", "must be less than 1"),
        ("schedule = [[5, 0.1, 0.1], [5, 0.1, 0.1]]", "must rise in volume from row to row"),
    ],
)
def test_a_cost_that_cannot_be_is_named_with_its_line(project: Path, line: str, told: str) -> None:
    with pytest.raises(AlgotradeError) as caught:
        settings_of(project, f"[costs]\n{line}\n")
    assert told in caught.value.message
    assert "algotrade.toml:2" in caught.value.message
