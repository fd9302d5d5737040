"""How much to trade: from a target exposure to a quantity, at the moment the fill price is known.

P is the slipped price, E = cash + position x P the equity, x the target exposure.

* Increasing the exposure: q = (|x| E - |position| P) / (P (1 + fee)), so that what is paid, fee included, comes from
  equity: all-in from flat buys cash / (P (1 + fee)).
* Reducing it: to |x| E / P.
* Crossing zero: close, book it, then open from flat with what is left.
* Ruin: with no equity left, whatever the target, the position is closed and nothing is opened.

Where the instrument's step is known, quantities are rounded down; a close always takes the whole position.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from algotrade.engine._jit import scalar
from algotrade.engine.account import cash_after, equity_at
from algotrade.engine.fills import fee_of, slipped_price
from algotrade.engine.orders import (
    BELOW_MIN_NOTIONAL,
    BELOW_MIN_QUANTITY,
    INSUFFICIENT_FUNDS,
    NOTHING_TO_SELL,
    NOTHING_TO_TRADE,
    RUINED,
)

REFUSALS: Final = (
    "",
    NOTHING_TO_TRADE,
    BELOW_MIN_QUANTITY,
    BELOW_MIN_NOTIONAL,
    RUINED,
    NOTHING_TO_SELL,
    INSUFFICIENT_FUNDS,
)
EXPOSURE, QUANTITY, NOTIONAL = range(3)  # units of a target: fraction of equity, base units, quote units
STEP_TOLERANCE: Final = 1e-9  # of a step: so that 0.3 of a step of 0.1 is three steps, in spite of binary fractions
LAST_BITS: Final = 4e-16  # of the number of steps: where there are millions, its own rounding is larger than that
MOST_STEPS: Final = 1e300  # more overflow, and no market trades them


class Terms(NamedTuple):
    """Costs and legal sizes of one market, as plain floats; 0 where unknown (no limit).

    Attributes:
        fee_rate: the taker's.
        slippage_rate: of market and stop orders, the half spread included.
        quantity_step: quantities are multiples of it.
        min_quantity: smallest order, base units.
        min_notional: smallest order, quote units.
        maker_fee_rate: of orders that rested.
        price_tick: prices of orders are multiples of it.
        leverage: notional over margin of a position, 1 or more.
        maintenance_rate: of the notional, below which a position's margin must not fall.
    """

    fee_rate: float
    slippage_rate: float
    quantity_step: float = 0.0
    min_quantity: float = 0.0
    min_notional: float = 0.0
    maker_fee_rate: float = 0.0
    price_tick: float = 0.0
    leverage: float = 1.0
    maintenance_rate: float = 0.005

    def resting(self) -> Terms:
        """The same for an order that rested: the maker's fee, and no slippage."""
        return self._replace(fee_rate=self.maker_fee_rate, slippage_rate=0.0)


@scalar
def target_changed(previous: float, target: float) -> bool:
    """Whether a target asks for a trade: only when it differs from the last one; drift alone never does."""
    return target != previous


@scalar
def round_down(quantity: float, step: float) -> float:
    """Largest multiple of `step` that is not above `quantity` (which is not negative); step 0 leaves it as it is.

    The whole part stays a float (`// 1.0`): as machine integers, more than 2**63 steps would overflow. More steps than
    a float can count are left as they are, so that what nobody can pay is refused for that.
    """
    if step <= 0.0:
        return quantity
    steps = quantity / step
    if steps > MOST_STEPS:
        return quantity
    return (steps + max(STEP_TOLERANCE, steps * LAST_BITS)) // 1.0 * step


@scalar
def side_of_target(target: float, cash: float, position: float, price: float) -> int:
    """+1 to buy, -1 to sell, 0 if the position is already what the target means at `price`.

    A position on the wrong side of zero is always closed; ruin (no equity) allows nothing but closing.
    """
    equity = equity_at(cash, position, price)
    wanted = target * equity / price if equity > 0.0 else 0.0
    if wanted > position:
        return 1
    if wanted < position:
        return -1
    return 0


@scalar
def quantity_for_target(target: float, cash: float, position: float, side: int, price: float, terms: Terms) -> float:
    """Quantity (base units, not negative) that moves `position` to the target exposure.

    Args:
        target: exposure wanted, fraction of equity, negative for short.
        cash: quote units.
        position: base units held, negative when short.
        side: of the order, from `side_of_target`.
        price: the slipped price P at which the order fills.
        terms: fee rate and quantity step.
    """
    held = abs(position)
    equity = equity_at(cash, position, price)
    reducing = position * side < 0.0
    if not reducing:
        increase = (abs(target) * equity - held * price) / (price * (1.0 + terms.fee_rate))
        return round_down(max(increase, 0.0), terms.quantity_step)
    if equity <= 0.0:
        return held
    if target * position > 0.0:
        kept = abs(target) * equity / price
        return min(round_down(max(held - kept, 0.0), terms.quantity_step), held)
    fee = fee_of(held, price, terms.fee_rate)
    left = cash_after(cash, side, held, price, fee)
    opening = abs(target) * left / (price * (1.0 + terms.fee_rate))
    return held + round_down(max(opening, 0.0), terms.quantity_step)


@scalar
def affordable(side: int, quantity: float, cash: float, position: float, price: float, terms: Terms) -> float:
    """What the cash of an account without leverage pays of a buy that was sized by the equity of several positions."""
    if side < 0 or position < 0.0:
        return quantity
    payable = max(cash, 0.0) / (price * (1.0 + terms.fee_rate))
    return quantity if quantity <= payable else round_down(payable, terms.quantity_step)


@scalar
def has_drifted(position: float, price: float, equity: float, wanted: float, band: float) -> bool:
    """Whether a position's share of equity is further from the one wanted than the band allows."""
    return abs(position * price / equity - wanted) > band


@scalar
def refusal_of(quantity: float, price: float, equity: float, terms: Terms) -> int:
    """0 if an order of this size is legal, else an index into REFUSALS; a close below the minimum is refused too."""
    if quantity <= 0.0:
        return 1 if equity > 0.0 else 4
    if quantity < terms.min_quantity * (1.0 - STEP_TOLERANCE):
        return 2
    if quantity * price < terms.min_notional * (1.0 - STEP_TOLERANCE):
        return 3
    return 0


@scalar
def market_fill(target: float, cash: float, position: float, open_: float, terms: Terms) -> tuple[int, float, float]:
    """Side, quantity and price of a market order for a target exposure that fills at `open_`; side 0 for none."""
    side = side_of_target(target, cash, position, open_)
    if side == 0:
        return 0, 0.0, open_
    price = slipped_price(open_, side, terms.slippage_rate)
    return side, quantity_for_target(target, cash, position, side, price, terms), price


@scalar
def side_to_hold(wanted: float, position: float) -> int:
    """+1 to buy, -1 to sell, 0 where `position` is what is wanted; both in base units."""
    if wanted > position:
        return 1
    if wanted < position:
        return -1
    return 0


@scalar
def quantity_to_hold(wanted: float, position: float, side: int, step: float) -> float:
    """Quantity (base units) that moves `position` to `wanted`; a close takes all of it, an opening is rounded down."""
    held = abs(position)
    if position * side >= 0.0:
        return round_down(max(abs(wanted) - held, 0.0), step)
    if wanted * position > 0.0:
        return min(round_down(max(held - abs(wanted), 0.0), step), held)
    return held + round_down(abs(wanted), step)


@scalar
def side_for(unit: int, amount: float, cash: float, position: float, price: float) -> int:
    """Side of an order that leads to a target: `amount` in one of the units EXPOSURE, QUANTITY and NOTIONAL."""
    if unit == EXPOSURE:
        return side_of_target(amount, cash, position, price)
    return side_to_hold(amount if unit == QUANTITY else amount / price, position)


@scalar
def side_unless_turned(sent: int, side: int) -> int:
    """`side`, which a target asks for now; 0 where its order was sent for the other one (0: it was sent for either)."""
    return side if sent in (0, side) else 0


@scalar
def quantity_for(
    unit: int, amount: float, cash: float, position: float, side: int, price: float, terms: Terms
) -> float:
    """Quantity (base units) of that order; `side` from `side_for`, `price` slipped."""
    if unit == EXPOSURE:
        return quantity_for_target(amount, cash, position, side, price, terms)
    return quantity_to_hold(amount if unit == QUANTITY else amount / price, position, side, terms.quantity_step)


@scalar
def fixed_quantity(quantity: float, position: float, side: int, step: float) -> float:
    """A given quantity in whole steps; what is a whole position but for rounding is all of it.

    A multiple of the step can miss a sum of such multiples by the last bit.
    """
    against = max(-side * position, 0.0)
    rounded = round_down(quantity, step)
    return against if abs(rounded - against) <= STEP_TOLERANCE * max(step, against) else rounded


class Books(NamedTuple):
    """What an account could pay an order with.

    Attributes:
        equity: with the order's symbol at the price of the fill, quote units.
        held: of the symbol, base units.
        others: value of all other positions without their signs, quote units.
        can_short: a position in the symbol may go below zero.
    """

    equity: float
    held: float
    others: float
    can_short: bool


@scalar
def shortage_of(books: Books, side: int, quantity: float, price: float, terms: Terms) -> int:
    """0 if there is enough for an order that is not sized by equity, else an index into REFUSALS."""
    held, after = books.held, books.held + side * quantity
    if abs(after) <= abs(held) and after * held >= 0.0:
        return 0
    if after < 0.0 and not books.can_short:
        return 5
    left = books.equity - fee_of(quantity, price, terms.fee_rate)
    if books.others + abs(after) * price > terms.leverage * left * (1.0 + STEP_TOLERANCE):
        return 6
    return 0


def within_margin(books: Books, side: int, quantity: float, price: float, terms: Terms) -> float:
    """What the margin that other positions leave allows of an order that was sized by equity; a close always passes.

    All positions together are worth at most leverage x E: q = (leverage E - others - |position| P) / (P (1 + fee)).
    """
    closing = max(-side * books.held, 0.0)
    room = terms.leverage * books.equity - books.others - side * books.held * price
    allowed = room / (price * (1.0 + terms.fee_rate))
    if quantity <= max(allowed, closing):
        return quantity
    return closing + round_down(max(allowed - closing, 0.0), terms.quantity_step)
