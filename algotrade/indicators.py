"""The indicators: `from algotrade.indicators import sma, adx`, or `algotrade.indicators.rsi`.

The public door to `algotrade.strategy.indicators`, where each stands with its formula, warm-up and source.
"""

from algotrade.strategy.indicators import *  # noqa: F403 (the names are spelt once, there)
from algotrade.strategy.indicators import __all__  # noqa: F401 (for the line above)
