"""Indicators for strategies: a Series or an array in, the same kind out, NaN until there are enough rows.

Windowed ones (windowed.py, windowed_candles.py) at row t depend on the bytes of their window and on nothing else: a
live run that holds 200 rows gets bit for bit what a backtest of a million got. A running sum, TA-Lib's too, does not
have that property, which is why those are our own. A NaN spoils the windows that hold it and no other.

Recursive ones (recursive.py) come from TA-Lib and depend on all rows before; after about 50 windows what came earlier
has faded below the last bit. A NaN or infinity after the first value spoils all that follows.

No value ever depends on a later row. `Stream` gives every one of them bar by bar, with the same bits. All refuse a
window that is not a whole number, with FixStrategy; one that is longer than the data gives NaN throughout.

Any other library works in a strategy as it is: what TA-Lib, pandas or numpy computes from `candles` may stand in the
signals table like what is computed here, and the checks of a backtest watch it in the same way.
"""

from algotrade.strategy.indicators.columns import Aroon, Bands, Ichimoku, Macd, Stochastic, Supertrend
from algotrade.strategy.indicators.recursive import (
    adx,
    atr,
    dema,
    ema,
    kama,
    keltner,
    macd,
    minus_di,
    natr,
    obv,
    parabolic_sar,
    plus_di,
    ppo,
    rsi,
    stochastic_rsi,
    supertrend,
    tema,
)
from algotrade.strategy.indicators.stream import Stream
from algotrade.strategy.indicators.windowed import (
    bollinger,
    highest,
    hull,
    lowest,
    momentum,
    regression_slope,
    roc,
    rolling_std,
    sma,
    wma,
    zscore,
)
from algotrade.strategy.indicators.windowed_candles import (
    aroon,
    cci,
    donchian,
    ichimoku,
    mfi,
    stochastic,
    vwap,
    williams_r,
)

__all__ = [
    "Aroon",
    "Bands",
    "Ichimoku",
    "Macd",
    "Stochastic",
    "Stream",
    "Supertrend",
    "adx",
    "aroon",
    "atr",
    "bollinger",
    "cci",
    "dema",
    "donchian",
    "ema",
    "highest",
    "hull",
    "ichimoku",
    "kama",
    "keltner",
    "lowest",
    "macd",
    "mfi",
    "minus_di",
    "momentum",
    "natr",
    "obv",
    "parabolic_sar",
    "plus_di",
    "ppo",
    "regression_slope",
    "roc",
    "rolling_std",
    "rsi",
    "sma",
    "stochastic",
    "stochastic_rsi",
    "supertrend",
    "tema",
    "vwap",
    "williams_r",
    "wma",
    "zscore",
]
