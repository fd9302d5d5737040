"""A run as one HTML page that opens offline and asks nothing of the network."""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from algotrade.errors import FixConfiguration
from algotrade.evaluate.portfolio import Outcome
from algotrade.show import format as fmt
from algotrade.show.conditions import Document, conditions, title
from algotrade.show.outcome import cost_rows, part_heads, part_rows, path_sentences
from algotrade.show.run import portfolio_rows, portfolio_title
from algotrade.show.tables import Cell, as_text
from algotrade.show.trades import EXIT_HEADS, exit_rows
from algotrade.show.verdicts import VERDICTS, accusations, cautions, losses, verdicts

# Nothing may be loaded from anywhere, by the browser's own rule: all that the page needs is in it.
NOTHING_FROM_OUTSIDE: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1500px; padding: 1rem 1.5rem 2rem;
       background: #fbfbfa; color: #24292f; height: auto; }
h1 { font-size: 1.35rem; margin: .3rem 0 1rem; }
h2 { font-size: .95rem; margin: 0 0 .3rem; }
.tables { display: flex; flex-wrap: wrap; gap: 1.2rem 2.5rem; margin: .8rem 0 1rem; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: left; padding: .12rem 1rem .12rem 0; vertical-align: top; }
th { font-weight: 500; opacity: .65; }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; padding: .12rem 0 .12rem 1rem; }
.detail { max-width: 25rem; }
.failed { color: #d1242f; font-weight: 600; }
.passed { color: #2e8b57; }
.warning { color: #b7791f; }
p { margin: .15rem 0; }
footer { font-size: .8rem; opacity: .65; margin-top: .6rem; }
@media (prefers-color-scheme: dark) { body { background: #16181b; color: #d6dade; } }
"""
TEMPLATE: Final = """
{% block preamble %}
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
{% endblock %}
{% block postamble %}<style>{{ style }}</style>{% endblock %}
{% block contents %}{{ above }}{{ super() }}{{ below }}{% endblock %}
"""
HOW_TO_READ: Final = (
    "Times are UTC and name the bar's open. Drag to pan, turn the wheel to zoom, draw a box to zoom in, "
    "the circular arrow resets. The vertical scales follow what is in view."
)


def write_report(result: Outcome, document: Document, path: Path) -> None:
    """Write the page: figures, checks, candles with fills, indicators, equity and drawdown.

    Args:
        result: what to draw.
        document: the run document, for the figures.
        path: the file; replaced if it exists.

    Raises:
        FixConfiguration: bokeh is not installed, or the file cannot be written.
    """
    text = report_html(result, document)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise FixConfiguration(
            f"cannot write the report to {path}: {problem.strerror}",
            hint="algotrade backtest --html report.html",
        ) from problem


def report_html(result: Outcome, document: Document) -> str:
    """The page as text."""
    if importlib.util.find_spec("bokeh") is None:
        raise FixConfiguration(
            "the HTML report needs bokeh, which is not installed", hint="pip install 'algotrade[web]'"
        )
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    from algotrade.show.figures import draw

    drawing = draw(result)
    return file_html(
        drawing.layout,
        INLINE,
        title(document),
        template=TEMPLATE,
        template_variables={
            "policy": NOTHING_FROM_OUTSIDE,
            "style": STYLE,
            "above": _above(document),
            "below": f"<footer>{_paragraphs([*drawing.notes, HOW_TO_READ], '')}</footer>",
        },
    )


def _above(document: Document) -> str:
    """Title, what is wrong if anything is, and the tables."""
    checks = [
        (verdict.check, VERDICTS[verdict.passed][0], ": ".join(filter(None, (verdict.covered, verdict.detail))))
        for verdict in verdicts(document)
    ]
    parts, exits = _texts(part_rows(document)), _texts(exit_rows(document))
    costs = [(name, fmt.money(amount)) for name, amount in cost_rows(document)]
    return (
        f"<h1>{html.escape(title(document))}</h1>"
        + _paragraphs([*accusations(document), *losses(document)], "failed")
        + '<div class="tables">'
        + _table("What was run", (), conditions(document))
        + _table(portfolio_title(document), ("", "strategy", "buy & hold"), portfolio_rows(document))
        + (_table("Parts", ("", *part_heads(document)[1:]), parts) if parts else "")
        + (_table("Exits", ("", *EXIT_HEADS[1:]), exits) if exits else "")
        + (_table("Costs paid", ("", "amount"), costs) if len(costs) > 1 else "")
        + _table("Checks", (), checks or [("none were run",)])
        + "</div>"
        + _paragraphs(path_sentences(document), "warning")
        + _paragraphs(cautions(document), "warning")
    )


def _texts(rows: list[list[Cell]]) -> list[list[str]]:
    return [[as_text(cell).plain for cell in row] for row in rows]


def _paragraphs(sentences: Iterable[str], kind: str) -> str:
    return "".join(f'<p class="{kind}">{html.escape(sentence)}</p>' for sentence in sentences)


def _table(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A small table; columns with a head hold figures, the first column holds names."""
    kind = "figure" if heads else "detail"
    top = "".join(f'<th class="{kind}">{html.escape(head)}</th>' for head in heads)
    lines = [
        f"<tr><th>{html.escape(first)}</th>" + "".join(_cell(cell, kind) for cell in rest) + "</tr>"
        for first, *rest in rows
    ]
    return f"<section><h2>{html.escape(name)}</h2><table><tr>{top}</tr>{''.join(lines)}</table></section>"


def _cell(text: str, kind: str) -> str:
    verdict = {"FAILED": "failed", "passed": "passed", "not run": "warning"}.get(text, kind)
    return f'<td class="{verdict}">{html.escape(text)}</td>'
