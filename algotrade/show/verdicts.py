"""Whether to believe a run: its checks, what ended it early, and what weakens its figures."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from algotrade.engine.orders import NOTHING_TO_TRADE
from algotrade.evaluate.reasons import words_of
from algotrade.show import format as fmt
from algotrade.show.conditions import Document
from algotrade.show.tables import heading, left, table

WORRYING_GAP_SHARE: Final = 0.01  # of the bars
VERDICTS: Final = {True: ("passed", "green"), False: ("FAILED", "bold red"), None: ("not run", "yellow")}
FILLED_AT, REASON = 5, 6  # columns of a fill's row


class Verdict(NamedTuple):
    """A check and what came of it; `passed` is None where it did not run."""

    check: str
    passed: bool | None
    covered: str
    detail: str


def checks_table(document: Document) -> Group:
    """Each check with its verdict, how much it covered, and what it found."""
    rows = [(name, Text(*VERDICTS[passed]), covered, detail) for name, passed, covered, detail in verdicts(document)]
    if not rows:
        return Group(heading("Checks"), Text("none were run", style="yellow"))
    return table("Checks", [left("check"), left("verdict"), left("covered"), left("detail")], rows)


def verdicts(document: Document) -> list[Verdict]:
    """Every check of the document, in its order."""
    return [
        Verdict(
            check=fmt.plain(name).replace("_", "-"),
            passed=check["passed"],
            covered=_coverage(check),
            detail=fmt.plain(check.get("detail") or ""),
        )
        for name, check in document["checks"].items()
    ]


def _coverage(check: Document) -> str:
    """How many bars of how many it looked at: "214 of 10,000"; empty where it did not run."""
    if check["passed"] is None:
        return ""
    return f"{fmt.count(check['covered'])} of {fmt.count(check['total'])}"


def alarms(document: Document) -> list[RenderableType]:
    """What stands above the figures: failed checks, because of which they cannot be believed, and ruin."""
    lines = [Text(sentence, style="bold red") for sentence in (*accusations(document), *losses(document))]
    return [*lines, Text("")] if lines else []


def accusations(document: Document) -> list[str]:
    """A sentence for every failed check, and what follows from it."""
    failed = [
        f"CHECK FAILED: {verdict.check}: {verdict.detail or 'no detail'}"
        for verdict in verdicts(document)
        if verdict.passed is False
    ]
    return [*failed, "The figures below cannot be believed."] if failed else []


def losses(document: Document) -> list[str]:
    """A sentence where nothing was left, and one where positions were liquidated."""
    sentences = []
    if document["ruined_at"] is not None:
        (bar,) = fmt.times([document["ruined_at"]])
        sentences.append(f"RUINED: nothing was left at the close of {bar}.")
    liquidated = [row for row in document["fills"] if row[REASON] == "liquidation"]
    if liquidated:
        many = "1 position was" if len(liquidated) == 1 else f"{fmt.count(len(liquidated))} positions were"
        first = "" if len(liquidated) == 1 else "the first "
        (when,) = fmt.times([liquidated[0][FILLED_AT]])
        sentences.append(f"LIQUIDATED: {many} closed by the exchange, {first}on {when}.")
    return sentences


def warnings(document: Document) -> list[RenderableType]:
    """What weakens the figures without making them wrong, a line each."""
    lines = [Text(f"warning: {sentence}", style="yellow") for sentence in cautions(document)]
    return [Text(""), *lines] if lines else []


def cautions(document: Document) -> list[str]:
    """What the run itself warns of, refused orders, missing bars, and a market that is not real."""
    data = document["data"]
    sentences = [fmt.plain(sentence) for sentence in document.get("warnings", ())]
    sentences += _refusals(document)
    if data["gaps"] > WORRYING_GAP_SHARE * data["bars"]:
        sentences.append(f"{fmt.count(data['gaps'])} bars are missing beside the {fmt.count(data['bars'])} there are")
    if data["simulated"]:
        sentences.append("the market is SIMULATED: these figures say nothing about a real one")
    return sentences


def _refusals(document: Document) -> list[str]:
    """How many orders were refused and why; one that found nothing to trade changed nothing and is not counted."""
    reasons = Counter(row["reason"] for row in document["rejections"] if row["reason"] != NOTHING_TO_TRADE)
    if not reasons:
        return []
    whole = "1 order was refused" if reasons.total() == 1 else f"{fmt.count(reasons.total())} orders were refused"
    parts = [f"{fmt.count(count)} because {fmt.plain(words_of(reason))}" for reason, count in reasons.most_common()]
    return [f"{whole}: {', '.join(parts)}"]
