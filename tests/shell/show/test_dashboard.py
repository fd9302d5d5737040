from __future__ import annotations

import io
from math import nan

import numpy as np
import pytest
from rich.console import Console
from rich.live import Live

from algotrade.engine.events import OrderFilled
from algotrade.engine.orders import Order, Role
from algotrade.evaluate.snapshot import Chosen, Holding, LiveSnapshot, Signal
from algotrade.show.dashboard import FIXED_LINES, render, share_out
from tests.shell.show.test_tables import HOSTILE

NOW = 1_779_267_138_000  # 2026-05-20 08:52:18
BAR = NOW - 18_000


def snapshot(**changes) -> LiveSnapshot:
    values = {
        "session": "live-20261120-184502-3f2a", "mode": "PAPER", "simulated": True, "exchange": "demo",
        "symbols": ("BTC/USD",),
        "timeframe": "1m", "strategies": (Chosen("sma_cross", {"fast": 10, "slow": 20}),), "state": "RUNNING",
        "exchange_time": NOW, "next_bar_s": 42.0, "feed_age_s": 1.2, "cash": 12.34,
        "holdings": (Holding("BTC/USD", "", 0.2314, 43_000.0, 43_210.5),),
        "equity": 10_012.34, "profit": 12.34,
        "summary": {"total_return": 0.0012, "sharpe": 1.2, "max_drawdown": -0.0123, "round_trips": 7,
        "fees_paid": 55.2},
        "signals": tuple(Signal(BAR - 60_000 * age, 43_210.5 - age, 1.0, "hold") for age in range(30, -1, -1)),
        "open_orders": (Order("o1", "BTC/USD", BAR, 0, exposure=0.5),),
        "fills": tuple(
            OrderFilled(f"f{age}", "BTC/USD", BAR - 60_000 * age, 1 - 2 * (age % 2), 0.23140012, 43_000.0 - age, 39.91)
            for age in range(30, -1, -1)
        ),
        "times": BAR - 60_000 * np.arange(60)[::-1], "equity_values": np.linspace(9_950.0, 10_012.34, 60),
        "message": "bar 08:52 closed: hold", "retry_in_s": None,
    }  # fmt: skip
    return LiveSnapshot(**{**values, **changes})


def screen(moment: LiveSnapshot, width: int = 80, height: int = 24) -> list[str]:
    file = io.StringIO()
    console = Console(
        file=file, width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False
    )
    console.print(render(moment), end="")
    return file.getvalue().splitlines()


REQUIRED = (
    "PAPER", "SIMULATED", "demo BTC/USD 1m", "sma_cross fast=10 slow=20", "live-20261120-184502-3f2a",
    "RUNNING",
    "2026-05-20 08:52:18 UTC", "next bar in 00:42", "feed 1.2 s old", "12.34 USD", "0.2314 BTC",
    "10,012.34 USD", "+12.34 USD",
    "43,210.50", "Last signals", "1.00", "hold", "Open orders", "target 0.50", "Last fills", "0.23140012",
    "43,000.00", "39.91",
    "+0.12%", "1.20", "-1.23%", "55.20", "Equity ──", "9,950.00", "bar 08:52 closed: hold",
)  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_everything_that_matters_is_on_the_screen(width, height):
    lines = screen(snapshot(), width, height)
    text = "\n".join(lines)
    assert [part for part in REQUIRED if part not in text] == []
    assert "…" not in text
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_the_newest_stands_first_and_more_room_shows_more():
    small, large = screen(snapshot()), screen(snapshot(), 120, 50)
    assert "2026-05-20 08:52" in next(line for line in small if " hold" in line and "2026" in line)
    assert sum(" hold" in line for line in large) > sum(" hold" in line for line in small)


@pytest.mark.parametrize("height", range(1, 80))
def test_the_screen_is_never_taller_than_the_terminal(height):
    lines = share_out(height)
    assert len(screen(snapshot(), 80, height)) <= height
    assert min(lines.signals, lines.fills) >= 1
    if height >= FIXED_LINES:
        assert len(screen(snapshot(), 80, height)) == height


def test_a_hanging_feed_shows_its_age_and_when_it_is_tried_again():
    lines = screen(
        snapshot(state="DEGRADED", feed_age_s=95.0, retry_in_s=7.3, message="Cannot reach kraken (api.kraken.com)")
    )
    assert "DEGRADED" in lines[0]
    assert "feed 1 min 35 s old" in lines[2]
    assert lines[-1].strip() == "trying again in 00:08  Cannot reach kraken (api.kraken.com)"


def test_a_session_that_has_just_begun_has_nothing_to_hide():
    empty = snapshot(
        state="STARTING", feed_age_s=nan, next_bar_s=nan, holdings=(Holding("BTC/USD", "", 0.0, 0.0, nan),),
        summary={}, signals=(), open_orders=(), fills=(),
        times=np.empty(0, np.int64), equity_values=np.empty(0), message="", simulated=False,
    )  # fmt: skip
    text = "\n".join(screen(empty))
    assert "SIMULATED" not in text
    assert text.count("n/a") >= 7
    assert "Ctrl-C stops the session and keeps it" in text


def test_orders_of_every_kind_can_be_read():
    orders = (
        Order("a", "BTC/USD", BAR, 1, quantity=0.5),
        Order("b", "BTC/USD", BAR, -1, notional=1000.0),
        Order("c", "BTC/USD", BAR, 0, exposure=-1.0),
    )
    text = "\n".join(screen(snapshot(open_orders=orders), 80, 40))
    for wish in ("buy 0.5", "sell for 1,000.00", "target -1.00"):
        assert wish in text


def test_hostile_names_and_messages_are_harmless():
    hostile = snapshot(
        session=HOSTILE,
        exchange=HOSTILE,
        symbols=(HOSTILE,),
        strategies=(Chosen(HOSTILE, {HOSTILE: HOSTILE}),),
        holdings=(Holding(HOSTILE, "", 1.0, 1.0, 1.0),),
        message=HOSTILE,
    )
    lines = screen(hostile, 200)
    assert len(lines) == 24
    assert not set("".join(lines)) & {"\x1b", "\x00", "\x9b", "\u202e"}


def test_a_long_message_stays_on_its_line():
    lines = screen(
        snapshot(message="word " * 100, strategies=(Chosen("long", {f"p{number}": number for number in range(40)}),))
    )
    assert len(lines) == 24
    assert lines[-1].rstrip().endswith("…")
    assert "RUNNING" in lines[0]
    assert "live-20261120-184502-3f2a" in lines[1]


def test_the_live_display_asks_for_every_frame_anew():
    ages = [1.0]
    file = io.StringIO()
    console = Console(file=file, width=80, height=24, force_terminal=True, color_system=None, legacy_windows=False)
    with Live(
        get_renderable=lambda: render(snapshot(feed_age_s=ages[-1])), console=console, auto_refresh=False
    ) as live:
        live.refresh()
        ages.append(2.5)
        live.refresh()
    assert "feed 1.0 s old" in file.getvalue()
    assert "feed 2.5 s old" in file.getvalue()


def several(**changes) -> LiveSnapshot:
    """Two symbols and two strategies, with orders of every kind at work."""
    books, markets = ("sma_cross", "donchian_breakout"), ("BTC/USD", "ETH/USD")
    orders = (
        Order("o1", "BTC/USD", BAR, 1, quantity=0.5, limit=42_000.0),
        Order("o2", "ETH/USD", BAR, -1, stop=2_100.5, role=Role.STOP_LOSS),
        Order("o3", "ETH/USD", BAR, -1, trail=0.05, role=Role.TRAILING_STOP),
    )
    return snapshot(
        symbols=markets,
        strategies=tuple(Chosen(book, {}) for book in books),
        holdings=tuple(
            Holding(symbol, book, 0.5 if symbol == "ETH/USD" else 0.0, 2_200.0, 2_300.0)
            for book in books
            for symbol in markets
        ),
        signals=(Signal(BAR, 43_000.0, 1.0, "refused", "BTC/USD", "sma_cross", "max_drawdown"),),
        open_orders=orders,
        **changes,
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_several_symbols_and_strategies_each_have_a_line(width, height):
    text = "\n".join(lines := screen(several(), width, height))
    wanted = (
        "demo BTC/USD ETH/USD 1m", "Positions", "2 of 4", "ETH/USD donchian_breakout", "+50.00", "refused max_drawdown",
        "sell all stop 2,100.50", "sell all trail 5.00%",
    )  # fmt: skip
    assert [part for part in wanted if part not in text] == []
    assert len(lines) == height
    assert max(map(len, lines)) <= width
