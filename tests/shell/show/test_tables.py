from __future__ import annotations

import pytest

from algotrade.show.tables import left, listing, pairs, right, table
from tests.shell.show.samples import on_terminal, piped

HOSTILE = "[/red]\x1b[31mBTC\x00/\u202eUSD[bold]\x9b1m"
LEGIBLE = "[/red][31mBTC/USD[bold]1m"
MARKET = {
    "symbol": "BTC/USD", "quantity_step": 1e-8, "price_tick": 0.1, "min_quantity": 0.00005, "min_notional": 0.5,
    "taker_fee": 0.004, "maker_fee": 0.0025, "can_short": False,
}  # fmt: skip


def test_a_listing_reads_as_a_table():
    rows = [{"run": "r1", "last": "2024-01-31T00:00:00Z", "equity": 1234.5}, {"run": "r2", "last": None, "equity": 3}]
    lines = piped(listing(rows, ["run", "last", "equity"], title="Runs", note="two runs")).splitlines()
    assert [line.rstrip() for line in lines] == [
        "",
        "Runs",
        "run  last         equity",
        "────────────────────────",
        "r1   2024-01-31  1,234.5",
        "r2                     3",
        "two runs",
    ]


def test_a_list_of_nothing_says_nothing():
    assert piped(listing([], ["run"])) == "nothing\n"


@pytest.mark.parametrize("width", [120, 80, 60, 40, 30])
def test_no_figure_is_ever_cut_however_narrow_the_terminal(width):
    text = on_terminal(listing([MARKET], list(MARKET)), width=width)
    for figure in ("0.00000001", "0.00005", "0.5", "0.004", "0.0025", "BTC/USD"):
        assert figure in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_a_name_that_someone_will_copy_stays_in_one_piece():
    run = {"run": "r20261120-184502-3f2a", "created": "2026-11-20T18:45:02Z", "kind": "backtest",
    "symbol": "BTC/USD",
           "timeframe": "1d", "strategy": "sma_cross", "final_equity": 924_596.8}  # fmt: skip
    assert "r20261120-184502-3f2a" in on_terminal(listing([run], list(run)))


def test_a_pipe_gets_the_whole_width_and_no_escape_codes():
    sentence = "word " * 60
    text = piped(table("Title", [left("name"), right("figure")], [[sentence, "1,234.50"]]))
    assert "\x1b" not in text
    assert any(sentence.strip() in line and "1,234.50" in line for line in text.splitlines())
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_no_color_on_a_terminal_leaves_no_colour():
    text = on_terminal(table("T", [left("name")], [["x"]]), color_system="truecolor", no_color=True)
    assert not any(f"\x1b[{code}" in text for code in ("3", "4", "38", "48", "9"))


@pytest.mark.parametrize("show", [piped, on_terminal])
def test_text_from_outside_is_shown_and_not_obeyed(show):
    text = show(listing([{"name": HOSTILE}], ["name"]))
    assert LEGIBLE in text
    assert not set(text) & {"\x1b", "\x00", "\x9b", "\u202e"}


def test_square_brackets_in_a_table_are_text():
    text = piped(table("[red]T", [left("[b]head")], [["[/]cell"]], note="[i]note"), pairs([("[u]name", "[/x]value")]))
    for part in ("[red]T", "[b]head", "[/]cell", "[i]note", "[u]name", "[/x]value"):
        assert part in text
