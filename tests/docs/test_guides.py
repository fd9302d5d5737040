"""What the guides in docs/ say is so: tables of orders fill as they say, indicators and strategies are all there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import algotrade as at
from algotrade.discover import shipped_names
from algotrade.engine.events import CandleClosed
from algotrade.evaluate.reasons import CANCELLATIONS, LIMITS, REJECTIONS
from algotrade.strategy import indicators
from algotrade.strategy.asking import BRACKET_WORDS, ORDER_WORDS
from algotrade.strategy.base import Strategy, on
from algotrade.strategy.protection import PROTECTIVE
from tests.docs.test_readme import run_python
from tests.indicator_cases import lines, market

GUIDES = Path(__file__).parents[2] / "docs"
ORDERS = (GUIDES / "orders.md").read_text(encoding="utf-8")


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of the table whose first column has this title."""
    table = text.split(f"| {title} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in table.splitlines()[2:]]


class Once(Strategy):
    """Asks for one thing at the close of the first day."""

    ask = ""
    asked = False

    @on("candles")
    def decide(self, candle: CandleClosed) -> None:
        if not self.asked:
            self.asked = True
            name, words = self.ask.split("(", 1)
            getattr(self, name)(**eval(f"dict({words}"))


def told(ask: str, days: list[str]) -> str:
    """What fills, in the words of the table."""
    values = [[100.0] * 4, *([float(price) for price in day.split()] for day in days)]
    times = pd.date_range("2024-01-01", periods=len(values), freq="D", tz="UTC", name="time")
    candles = pd.DataFrame(values, times, ["open", "high", "low", "close"]).assign(volume=1000.0)
    strategy = type("Once", (Once,), {"ask": ask})()
    fills = at.backtest(strategy, candles, cash=1000, fee_rate=0, slippage_rate=0, timeframe="1d", check="none").fills
    happened = [
        f"day {[*times].index(fill.time) + 1}: {fill.side} {fill.quantity:g} @ {fill.price:g}"
        + ("" if fill.reason == "signal" else f" by {fill.reason}")
        for fill in fills.itertuples()
    ]
    return "; ".join(happened) or "nothing"


@pytest.mark.parametrize("row", rows(ORDERS, "asked on day 1"), ids=lambda row: f"{row[0]} {row[1]}")
def test_orders_fill_as_their_table_says(row: list[str]) -> None:
    ask, *days, fills = row
    assert told(ask.strip("`"), days) == fills


def words_of(title: str) -> set[str]:
    """The names in the first column of a table."""
    return {word for row in rows(ORDERS, title) for word in re.findall(r"`(\w+)=?`", row[0])}


def test_every_word_of_an_order_is_explained() -> None:
    of_orders, of_brackets = ORDERS.split("### Words of a bracket")
    assert words_of("word") == {*ORDER_WORDS} - {*BRACKET_WORDS}
    in_brackets = {word for row in rows(of_brackets, "word") for word in re.findall(r"`(\w+)=`", row[0])}
    assert in_brackets == {*BRACKET_WORDS}
    assert of_orders
    columns = ORDERS.split("### The same in signals")[1].split("## ")[0]
    assert all(f"`{column}`" in columns for column in PROTECTIVE)


def test_every_reason_code_is_explained() -> None:
    assert words_of("code") == {*LIMITS, *REJECTIONS, *filter(None, CANCELLATIONS)}


def test_every_call_of_the_table_is_one() -> None:
    calls = re.findall(r"`self\.(\w+)\(", "".join(row[0] for row in rows(ORDERS, "call")))
    assert {"buy", "sell", "target", "close", "protect", "cancel", "cancel_all", "replace", "emit"} == {*calls}
    assert all(callable(getattr(Strategy, name)) for name in calls)


def indicator_rows() -> list[list[str]]:
    return rows((GUIDES / "indicators.md").read_text(encoding="utf-8"), "call")


@pytest.mark.parametrize("row", indicator_rows(), ids=lambda row: row[0])
def test_an_indicator_begins_where_its_row_says(row: list[str]) -> None:
    table = market(200)
    call, begins = row[0].strip("`"), row[1]
    answer = lines(eval(call, {**vars(indicators)}, {**table}))
    first = [int(np.flatnonzero(~np.isnan(line))[0]) + 1 for line in answer]
    assert begins == ", ".join(map(str, first if len(set(first)) > 1 else first[:1]))


def test_every_indicator_is_listed() -> None:
    named = [re.match(r"`(\w+)\(", row[0]) for row in indicator_rows()]
    assert [found[1] for found in named if found] == sorted(name for name in indicators.__all__ if name.islower())


def test_every_shipped_strategy_is_listed() -> None:
    text = (GUIDES / "strategies.md").read_text(encoding="utf-8")
    assert [row[0].strip("`") for row in rows(text, "name")] == sorted(shipped_names())


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("*.md")), ids=lambda path: path.stem)
def test_what_a_guide_shows_runs_and_prints_what_it_says(guide: Path, tmp_path: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for kind, shown, printed in re.findall(r"```(python|console)\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL):
        commands = [["-c", shown]]
        if kind == "console":
            commands = [["-m", *shlex.split(line.removeprefix("$ "))] for line in shown.splitlines()]
        for command in commands:
            ended = run_python(command, tmp_path)
            assert ended.returncode == 0, ended.stderr
            assert ended.stdout.strip()
            assert not printed or ended.stdout == printed
