"""The costs of a run in the engine's words: what settings say, and where they say nothing, the markets themselves."""

from __future__ import annotations

from collections.abc import Sequence

from algotrade.backtest.setup import fees_of
from algotrade.config.values import Costs as CostSettings
from algotrade.engine.fills import Costs
from algotrade.market.instrument import Instrument


def costs_of(
    settings: CostSettings, *, fee_rate: float | None, slippage_rate: float, instruments: Sequence[Instrument]
) -> Costs:
    """What trading and holding cost.

    Args:
        settings: [costs].
        fee_rate: of each fill that takes; None: the markets' own.
        slippage_rate: of market and stop orders.
        instruments: the markets of the run.
    """
    taker, maker = fees_of(instruments, fee_rate, settings.maker_fee)
    return Costs(
        fee_rate=float(taker),
        slippage_rate=slippage_rate,
        maker_fee_rate=maker,
        spread_rate=settings.spread,
        impact_rate=settings.impact,
        max_volume_share=settings.max_volume_share,
        fee_schedule=settings.schedule,
        fee_in_base=settings.fee_in_base,
        borrow_rate=settings.borrow_rate,
        maintenance_rate=settings.maintenance_rate,
        latency_bars=settings.latency_bars,
        latency_ms=settings.latency_ms,
    )
