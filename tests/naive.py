"""The backtest once more, as short and plain as it can be: the oracle of the fast forms. Nothing here is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Market(NamedTuple):
    """Costs as fractions, legal sizes (0: no limit)."""

    fee_rate: float = 0.0
    slippage_rate: float = 0.0
    step: float = 0.0
    min_quantity: float = 0.0
    min_notional: float = 0.0
    leverage: float = 1.0
    maintenance_rate: float = 0.005


class Bars(NamedTuple):
    """Prices of the candles, column by column."""

    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]


class Fill(NamedTuple):
    bar: int
    side: int
    quantity: float
    price: float
    fee: float


class Outcome(NamedTuple):
    fills: list[Fill]
    refusals: list[tuple[int, str]]
    equity: list[float]


def backtest(bars: Bars, targets: Sequence[float], cash: float, market: Market) -> Outcome:
    """A target that differs from the one before is a market order that fills at the open of the next bar.

    A position whose margin is used up inside a bar is closed where all of it is lost; an account without value is
    closed, and worth exactly nothing from then on.
    """
    position = entry = 0.0
    outcome = Outcome([], [], [])
    for bar, (open_, high, low, close) in enumerate(zip(*bars, strict=True)):
        target = targets[bar - 1] if bar >= 1 else 0.0
        target_before = targets[bar - 2] if bar >= 2 else 0.0
        if target != target_before:
            side, quantity, price = order_at_open(target, cash, position, open_, market)
            reason = refusal(quantity, price, cash + position * price, market)
            if reason:
                outcome.refusals.append((bar, reason))
            else:
                fee = quantity * price * market.fee_rate
                cash = cash - side * quantity * price - fee
                entry = entry_price(position, entry, side * quantity, price)
                position = position + side * quantity
                outcome.fills.append(Fill(bar, side, quantity, price, fee))
        ruined = cash + position * close <= 0
        if position and (is_liquidated(position, entry, (low, high), market) or ruined):
            side = -1 if position > 0 else +1
            price = entry * (1 + side / market.leverage)
            outcome.fills.append(Fill(bar, side, abs(position), price, 0.0))
            cash, position = cash + position * price, 0.0
            ruined = cash <= 0
        if ruined:
            cash = 0.0
        outcome.equity.append(cash + position * close)
    return outcome


def entry_price(position: float, entry: float, traded: float, price: float) -> float:
    """Average entry price once `traded` (negative when sold) was added to the position."""
    if position == 0 or (abs(traded) > abs(position) and position * traded < 0):
        return price
    if position * traded < 0:
        return entry
    return (abs(position) * entry + abs(traded) * price) / (abs(position) + abs(traded))


def is_liquidated(position: float, entry: float, low_high: tuple[float, float], market: Market) -> bool:
    """Whether the bar goes where the margin of the position is no more than the maintenance margin."""
    low, high = low_high
    if position < 0:
        return high >= entry * (1 + 1 / market.leverage) / (1 + market.maintenance_rate)
    return market.leverage > 1 and low <= entry * (1 - 1 / market.leverage) / (1 - market.maintenance_rate)


def order_at_open(
    target: float, cash: float, position: float, open_: float, market: Market
) -> tuple[int, float, float]:
    """Side, quantity and price of the order that moves the position to the target."""
    equity_at_open = cash + position * open_
    ruined = equity_at_open <= 0
    wanted = 0.0 if ruined else target * equity_at_open / open_
    if wanted == position:
        return 0, 0.0, open_
    side = +1 if wanted > position else -1
    price = open_ * (1 + side * market.slippage_rate)
    held = abs(position)
    equity = cash + position * price

    adds_to_position = position == 0 or (position > 0) == (side > 0)
    if adds_to_position:
        quantity = (abs(target) * equity - held * price) / (price * (1 + market.fee_rate))
        return side, rounded_down(quantity, market.step), price

    closes_only = target == 0 or ruined or equity <= 0
    if closes_only:
        return side, held, price

    keeps_its_side = (target > 0) == (position > 0)
    if keeps_its_side:
        return side, min(held, rounded_down(held - abs(target) * equity / price, market.step)), price

    cash_once_flat = cash - side * held * price - held * price * market.fee_rate
    opened = abs(target) * cash_once_flat / (price * (1 + market.fee_rate))
    return side, held + rounded_down(opened, market.step), price


def rounded_down(quantity: float, step: float) -> float:
    """A quantity in whole steps; what comes out negative is no quantity at all."""
    if quantity <= 0:
        return 0.0
    if not step:
        return quantity
    steps = quantity / step
    nearest = round(steps)
    return (nearest if math.isclose(steps, nearest, rel_tol=4e-16, abs_tol=1e-9) else math.floor(steps)) * step


def refusal(quantity: float, price: float, equity: float, market: Market) -> str:
    """Why the exchange would not take an order of this size; empty if it does."""
    if quantity <= 0:
        return "nothing_to_trade" if equity > 0 else "no_equity_left"
    if quantity < market.min_quantity * (1 - 1e-9):
        return "below_min_quantity"
    if quantity * price < market.min_notional * (1 - 1e-9):
        return "below_min_notional"
    return ""


def mean_of_last(values: Sequence[float], count: int) -> list[float]:
    """Plain mean of the last `count` values at each place; NaN where there are fewer."""
    return [sum(values[end - count : end]) / count if end >= count else math.nan for end in range(1, len(values) + 1)]


def sma_cross(closes: Sequence[float], fast: int, slow: int) -> list[float]:
    """1 while the mean of the last `fast` closes is above that of the last `slow`, else 0."""
    return [
        1.0 if quick > calm else 0.0
        for quick, calm in zip(mean_of_last(closes, fast), mean_of_last(closes, slow), strict=True)
    ]
