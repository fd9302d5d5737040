"""What a strategy may do wrongly, run as a person runs it: a sentence with the bar, and with the line of code."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

import pytest

from tests.shell.cli.conftest import Command, Run
from tests.shell.cli.test_bad_input import parse

DEMO = ("backtest", "--exchange", "demo", "--start", "2023-01-01", "--end", "2023-06-30", "--check", "none")
TWO = ("--symbol", "BTC/USD", "--symbol", "ETH/USD")
BAR_50 = "2023-02-20T00:00:00Z"
HEAD = (
    "import numpy as np\nimport pandas as pd\nfrom algotrade import PortfolioStrategy, SignalStrategy, Strategy, on\n\n"
)

SIGNALS = """
class Faulty(SignalStrategy):
    warmup = 2

    def generate_signals(self, candles):
        signals = candles[["close"]].assign(signal=1.0)
        at_50 = np.arange(len(candles)) == 50
"""
EVENTS = """
class Faulty(Strategy):
    warmup = 2

    @on("candles")
    def act(self, candle):
"""
WEIGHTS = """
class Faulty(PortfolioStrategy):
    warmup = 2

    def generate_weights(self, candles):
        weights = pd.DataFrame({symbol: 0.4 for symbol in candles}, index=candles["BTC/USD"].index)
"""
BEGINNING = """
class Faulty(Strategy):
    @on("candles")
    def act(self, candle):
        pass
"""


def run_faulty(algotrade: Command, place: Path, code: str, *options: str) -> Run:
    (place / "faulty.py").write_text(HEAD + code)
    return algotrade(*DEMO, "--strategy", f"{place / 'faulty.py'}", *options)


def says(run: Run) -> str:
    """The sentence of a strategy's fault; nothing else is told, and what is recommended can be typed."""
    assert (run.code, run.out) == (3, "")
    assert "Traceback" not in run.err
    assert "Warning" not in run.err
    if run.hint:
        parse(run.hint)
    (sentence,) = [line for line in run.err.splitlines() if line.startswith("error: ")]
    return sentence


def where(code: str, line: str) -> str:
    """How a message names a line of the strategy."""
    stripped = [each.strip() for each in (HEAD + code).splitlines()]
    return f" (faulty.py line {1 + stripped.index(line)}: {line})"


@pytest.mark.parametrize("value", ["inf", "-inf", "-0.5", "0"])
@pytest.mark.parametrize(
    "column", ["stop_loss", "take_profit", "trailing_stop", "trailing_activation", "limit", "max_bars"]
)
def test_a_protective_column_is_told_with_its_bar(algotrade: Command, place: Path, column: str, value: str) -> None:
    body = f"return signals.assign(trailing_stop=0.1).assign({column}=np.where(at_50, float({value!r}), np.nan))"
    run = run_faulty(algotrade, place, SIGNALS + indent(body, " " * 8))
    assert f"faulty: {column} at {BAR_50} is {value}; " in says(run)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("signals.loc[at_50, 'signal'] = np.inf", f"the signal at {BAR_50} is inf; NaN only comes first"),
        ("signals.loc[at_50, 'signal'] = np.nan", f"the signal at {BAR_50} is nan; NaN only comes first"),
        ("signals.loc[at_50, 'signal'] = 1.5", f"the signal at {BAR_50} is 1.5, outside the leverage of 1.0"),
        ("signals['stop_loss'] = np.where(at_50, 1.5, 0.1)", f"stop_loss at {BAR_50} is 1.5; of a long position"),
        ("signals['limit'] = 'low'", "limit is a column of numbers, given"),
    ],
)
def test_signals_that_make_no_sense_are_told_with_the_bar(
    algotrade: Command, place: Path, body: str, sentence: str
) -> None:
    code = SIGNALS + indent(f"{body}\nreturn signals", " " * 8)
    assert sentence in says(run_faulty(algotrade, place, code))


@pytest.mark.parametrize("ask", ["self.buy(quantity=1)", "self.close()", "self.candles('7h')"])
def test_what_is_not_allowed_in_generate_signals_is_told_with_the_line(
    algotrade: Command, place: Path, ask: str
) -> None:
    code = SIGNALS + indent(f"{ask}\nreturn signals", " " * 8)
    assert says(run_faulty(algotrade, place, code)).endswith(where(code, ask))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("weights.iloc[50, 0] = np.inf", f"the weight of BTC/USD at {BAR_50} is inf; NaN only comes before"),
        ("weights.iloc[50, 0] = np.nan", f"the weight of BTC/USD at {BAR_50} is nan; NaN only comes before"),
        ("weights.iloc[50, 0] = 0.9", f"the weights at {BAR_50} add up to 1.3, above the leverage of 1"),
        ("weights['DOGE/USD'] = 0.1", "weights for 'DOGE/USD', which is not traded here"),
        ("weights['rebalance'] = np.nan", "the column 'rebalance' is True or False"),
        ("self.target(exposure=1)", "in a method marked with @on"),
    ],
)
def test_weights_that_make_no_sense(algotrade: Command, place: Path, body: str, sentence: str) -> None:
    code = WEIGHTS + indent(f"{body}\nreturn weights", " " * 8)
    assert sentence in says(run_faulty(algotrade, place, code, *TWO))


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        ("self.buy(quantity=1, notional=5)", "give quantity= (base units) or notional= (quote units), one of the two"),
        ("self.target(exposure=1, quantity=1)", "give exposure=, quantity= or notional=, one of the three"),
        ("self.buy(quantity=np.inf)", "an order's size must be a positive number, given inf"),
        ("self.buy(notional=np.nan)", "an order's size must be a positive number, given nan"),
        ("self.target(exposure=np.inf)", "the target exposure must be a finite number, given inf"),
        ("self.buy(quantity=1, limit=np.inf)", "limit must be a positive number, given inf"),
        ("self.buy(quantity=1, stop=1.0)", "the stop of a buy order must be above the last price"),
        ("self.sell(quantity=1, stop=1e9)", "the stop of a sell order must be below the last price"),
        ("self.buy(quantity=1, stop_loss_price=1e9)", "the stop_loss_price of a long position must be below"),
        ("self.target(exposure=1, take_profit_price=1)", "the take_profit_price of a long position must be above"),
        ("self.target(exposure=1, stop_loss=np.inf)", "stop_loss must be a positive number, given inf"),
        ("self.target(exposure=1.5)", "the target exposure 1.5 is outside the leverage of 1.0"),
        ("self.target(exposure=-1)", "faulty wants to be short, which a spot market cannot do"),
        ("self.buy(quantity=1, sl=0.1)", "unknown word sl="),
        ("self.buy(quantity=1, symbol='DOGE/USD')", "'DOGE/USD' is not traded here (there are: BTC/USD)"),
        ("self.position_of('DOGE/USD')", "'DOGE/USD' is not traded here (there are: BTC/USD)"),
        ("self.emit('mood', np.inf)", "a value to emit must be finite, given inf"),
        ("self.emit('candles', 1)", "that is an event of the market; give yours another name"),
        ("self.candles('7h')", "7h candles cannot be put together from 1d candles"),
        ("1 / 0", "faulty raised ZeroDivisionError: division by zero"),
    ],
)
def test_an_order_that_makes_no_sense_is_told_with_bar_and_line(
    algotrade: Command, place: Path, ask: str, sentence: str
) -> None:
    code = EVENTS + indent(ask, " " * 8)
    said = says(run_faulty(algotrade, place, code))
    assert said.startswith("error: at 2023-01-01T00:00:00Z: ")
    assert sentence in said
    assert said.endswith(where(code, ask))


@pytest.mark.parametrize("line", ["self.buy(quantity=1)", "self.target(exposure=1)", "self.candles()", "1 / 0"])
@pytest.mark.parametrize("method", ["__init__(self, **parameters)", "validate(self)"])
def test_what_is_not_allowed_before_a_run_is_told_with_the_line(
    algotrade: Command, place: Path, method: str, line: str
) -> None:
    first = "super().__init__(**parameters)" if "init" in method else "pass"
    code = f"{BEGINNING}\n    def {method}:\n        {first}\n        {line}\n"
    assert says(run_faulty(algotrade, place, code)).endswith(where(code, line))


# ---- what is refused without an end to the run ----------------------------------------------------------------------
@pytest.mark.parametrize("ask", ["buy(quantity=1e9)", "buy(notional=1e308)", "buy(quantity=1e300)"])
def test_orders_for_more_than_there_is_are_refused_counted_and_explained(
    algotrade: Command, place: Path, ask: str
) -> None:
    run = run_faulty(algotrade, place, f"{EVENTS}        self.{ask}\n")
    assert run.code == 0, run.err
    assert "180 orders were refused: 180 because there was not enough cash" in run.out
    why = algotrade("why", "2023-03-03")
    assert (why.code, "it sent an order, but there was not enough cash" in why.out) == (0, True)
    document = run_faulty(algotrade, place, f"{EVENTS}        self.{ask}\n", "--json").document
    assert document["fills"] == []
    assert document["summary"]["final_equity"] == 10_000.0


@pytest.mark.parametrize("exposure", [20, -20])
def test_liquidation_and_ruin_are_said_and_leave_every_figure_defined(
    algotrade: Command, place: Path, exposure: int
) -> None:
    options = ("--leverage", "20", "--allow-short")
    code = f"{EVENTS}        self.target(exposure={exposure})\n"
    run = run_faulty(algotrade, place, code, *options)
    assert run.code == 0, run.err
    assert "nan" not in run.out.lower().split()
    assert "Warning" not in run.err
    ruined, liquidated, *_ = run.out.splitlines()
    assert ruined.startswith("RUINED: nothing was left at the close of 2023-01-")
    assert liquidated.startswith("LIQUIDATED: 1 position was closed by the exchange, on 2023-01-")
    document = json.loads(
        run_faulty(algotrade, place, code, *options, "--json").out, parse_constant=lambda word: pytest.fail(word)
    )
    assert document["summary"]["final_equity"] == 0.0
    assert document["ruined_at"].startswith("2023-01-")
