"""The list of strategies, on wide and on narrow screens."""

from __future__ import annotations

import io

from rich.console import Console

from algotrade.show.strategies import strategy_list

ROWS = [
    {
        "strategy": "my_idea",
        "parameters": {"window": {"default": 20}, "width": {"default": 2.0}},
        "idea": "Buy [bold]low[/bold] and sell high, which everybody has heard of and few have done for long.",
        "origin": "project",
    },
    {"strategy": "hold", "parameters": {}, "idea": "Buy and hold.", "origin": "shipped"},
]


def printed(width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(strategy_list(ROWS))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_wide_screen_has_a_line_for_each() -> None:
    lines = printed(160)
    assert lines[0].split() == ["strategy", "parameters", "idea", "origin"]
    assert len(lines) == 4
    assert "window=20 width=2.0  Buy [bold]low[/bold]" in lines[2]


def test_a_narrow_screen_has_a_paragraph_for_each_under_its_origin() -> None:
    assert printed(60) == [
        "",
        "project",
        "my_idea  Buy [bold]low[/bold] and sell high, which everybody",
        "         has heard of and few have done for long.",
        "         window=20 width=2.0",
        "",
        "shipped",
        "hold  Buy and hold.",
    ]
