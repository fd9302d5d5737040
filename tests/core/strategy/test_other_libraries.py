"""What any other library computes from the candles is as good as our own, and is watched by the same checks."""

from __future__ import annotations

from typing import ClassVar

import talib

from algotrade.strategy.checks import Budget
from algotrade.strategy.signals import SignalStrategy
from tests.leaks.candles import random_walk, verdicts

CANDLES = random_walk(600)
FULL = Budget(full=True)


class TaLibAndPandas(SignalStrategy):
    """Long above a pandas average while TA-Lib's channel index is positive."""

    warmup: ClassVar[int] = 200

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(average=candles.close.rolling(50).mean())
        signals["channel"] = talib.CCI(candles.high, candles.low, candles.close, timeperiod=20)
        signals["signal"] = ((signals.close > signals.average) & (signals.channel > 0)).astype(float)
        return signals


class CentredAverage(SignalStrategy):
    """The same from a window that reaches into the future."""

    warmup: ClassVar[int] = 200

    def generate_signals(self, candles):
        centred = candles.close.rolling(5, center=True).mean()
        return candles[["close"]].assign(signal=(candles.close < centred).astype(float))


def test_plain_talib_and_pandas_pass_the_checks():
    checks = verdicts(TaLibAndPandas(), CANDLES, FULL)
    assert checks.look_ahead.passed
    assert checks.warm_up.passed
    assert checks.purity.passed


def test_a_look_ahead_of_another_library_is_found():
    assert verdicts(CentredAverage(), CANDLES, FULL).look_ahead.passed is False
