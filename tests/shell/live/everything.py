"""A strategy that uses every kind of order and event, and one that it talks with."""

from __future__ import annotations

from pathlib import Path

from algotrade.engine.fills import Costs
from algotrade.live.plan import Chosen, SessionPlan
from algotrade.strategy.signals import Bounds
from tests.shell.live.sessions import Project, plan

SYMBOLS = ("BTC/USD", "ETH/USD")
COSTS = Costs(max_volume_share=0.0005, borrow_rate=0.2, spread_rate=0.0001, impact_rate=0.01)

EVERYTHING = '''
from algotrade import Strategy, on


class Everything(Strategy):
    """Does one thing after the other, in each of its symbols."""

    warmup = 20

    @on("candles")
    def act(self, candle):
        minute = candle.time // 60_000 % 20
        close, unit = candle.close, 200.0 / candle.close
        name = getattr(self, f"do_{minute}", None)
        if name is not None:
            name(close, unit)

    def do_0(self, close, unit):
        self.buy(quantity=5 * unit, stop_loss=0.002, take_profit=0.0015)

    def do_2(self, close, unit):
        self.buy(notional=300, limit=close * 0.9995, expires_after=3)
        self.buy(quantity=unit, limit=close * 0.99, post_only=True)

    def do_3(self, close, unit):
        for order in self.orders:
            if order.symbol == self.symbol and order.side > 0 and (order.limit or close) < close * 0.995:
                self.replace(order.order_id, limit=close * 0.9998)
        self.buy(notional=300, stop=close * 1.0002, time_in_force="day")

    def do_5(self, close, unit):
        self.buy(quantity=unit, stop=close * 1.0001, limit=close * 1.001)
        self.buy(quantity=unit, limit=close * 1.001, time_in_force="ioc")
        self.protect(trailing_stop=0.0008, trailing_activation=0.0002)

    def do_8(self, close, unit):
        self.cancel_all()
        self.sell(quantity=unit, reduce_only=True)
        self.protect(stop_loss=0.001, take_profit_after={"2m": 0.002, "4m": 0.0001})

    def do_10(self, close, unit):
        self.target(exposure=-0.3, trailing_stop=0.001, max_bars=4)

    def do_14(self, close, unit):
        self.target(exposure=0.2, limit=close * 1.0005)

    def do_16(self, close, unit):
        self.buy(notional=1e9)
        self.close()

    @on("candles:5m")
    def finish(self, candle):
        self.emit("five", candle.close)

    @on("fills")
    def after(self, fill):
        if fill.role == "stop_loss":
            self.emit("stopped", fill.price)

    @on("timer:15m")
    def strike(self, timer):
        self.emit("quarter_hour", timer.time)
'''

LISTENS = '''
from algotrade import Strategy, on


class Listens(Strategy):
    """Buys when it is told, and sells again."""

    warmup = 5

    @on("five")
    def five(self, told):
        self.target(exposure=0.0 if self.position else 0.4, symbol="ETH/USD", stop_loss=0.003)

    @on("quarter_hour")
    def pass_on(self, told):
        self.emit("heard", told.value)
'''

TAPE = '''
from algotrade import Strategy, on


class Tape(Strategy):
    """Follows large trades, one after the other."""

    warmup = 5
    count: int = 0

    @on("trades")
    def follow(self, trade):
        self.seen = getattr(self, "seen", 0) + 1
        if self.seen % 7 == 0:
            self.target(exposure=0.0 if self.position else 0.3, trailing_stop=0.0005)
        if self.seen % 11 == 0:
            self.buy(notional=50, limit=trade.price * 0.9999, expires_after=2)
'''


def write_strategies(folder: Path) -> None:
    """Put the strategies into a project."""
    (folder / "strategies").mkdir(exist_ok=True)
    for name, text in {"everything": EVERYTHING, "listens": LISTENS, "tape": TAPE}.items():
        (folder / "strategies" / f"{name}.py").write_text(text)


def everything(project: Project, **changes: object) -> SessionPlan:
    """A plan with both, on two symbols, with shorts, borrowing, a spread, impact and a bound on volume."""
    write_strategies(project.folder)
    given = {
        "symbols": SYMBOLS,
        "strategies": (Chosen("everything", {}), Chosen("listens", {})),
        "costs": COSTS,
        "fee_rate": 0.0001,
        "bounds": Bounds(1.0, True),
        "bars": 120,
    }
    return plan(**{**given, **changes})
