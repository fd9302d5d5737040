"""The fill model: at what price, at what fee. The only one; kernel, event loop and paper exchange all call it.

* A market order decided at the close of bar t fills at the open of the next bar, worse by the slippage.
* The fee is charged on the notional of each fill, in quote currency.

Scalar functions of floats; `side` is +1 for a buy and -1 for a sell.
"""

from __future__ import annotations

from typing import NamedTuple

from algotrade.engine._jit import scalar


class Costs(NamedTuple):
    """What trading costs, as fractions.

    Attributes:
        fee_rate: of the notional of each fill (0.004 is 0.4 %).
        slippage_rate: by which a market order's price is worse than the open.
    """

    fee_rate: float = 0.004
    slippage_rate: float = 0.0005


@scalar
def slipped_price(price: float, side: int, slippage_rate: float) -> float:
    """Price of a market order: `price` made worse by the slippage."""
    return price * (1.0 + side * slippage_rate)


@scalar
def fee_of(quantity: float, price: float, fee_rate: float) -> float:
    """Fee in quote units of a fill of `quantity` (positive) at `price`."""
    return quantity * price * fee_rate
