"""`algotrade replay`: reproduce a recorded session and compare it byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from algotrade.cli.invocation import invocation_of

if TYPE_CHECKING:
    from algotrade.live.replay import Difference
    from algotrade.store.journal import JournalRow

app = typer.Typer(add_completion=False, rich_help_panel="Trade")


@app.command()
def replay(
    context: typer.Context,
    session: Annotated[str, typer.Argument(metavar="SESSION|latest", help="Which session.")] = "latest",
) -> None:
    """Feed a session's events through a fresh engine: every decision and order must come out byte for byte.

    Runs the strategy's source that the journal keeps. Exits with 5 at the first difference.

    [bold]Examples[/bold]
      algotrade replay latest
      algotrade list sessions
    """
    from algotrade.errors import ReviewResult
    from algotrade.live.sessions import find_session, replay_session
    from algotrade.sources import versions

    invocation = invocation_of(context)
    path = find_session(invocation.settings().sessions_folder, session)
    opened, difference = replay_session(path)
    recorded = opened.journal.header["versions"]
    changed = {name: (recorded.get(name), now) for name, now in versions().items() if recorded.get(name) != now}
    for name, (then, now) in changed.items():
        invocation.output.note(f"recorded with {name} {then}, replayed with {now}")
    invocation.output.document("algotrade.replay/1", _document(opened.id, opened.bars, difference, changed))
    if difference is not None:
        if not invocation.output.json:
            invocation.output.console.print(_sentences(difference), soft_wrap=True)
            raise ReviewResult(f"session {opened.id} does not replay", hint=f"algotrade evaluate {opened.id}")
        raise typer.Exit(ReviewResult.exit_code)
    if not invocation.output.json:
        text = f"session {opened.id} replays: {opened.bars} bars, every byte the same"
        invocation.output.console.print(text, soft_wrap=True)


def _document(session: str, bars: int, difference: Difference | None, changed: dict[str, Any]) -> dict[str, Any]:
    return {
        "session": session,
        "bars": bars,
        "same": difference is None,
        "versions_changed": {name: {"recorded": then, "replayed": now} for name, (then, now) in changed.items()},
        "difference": None
        if difference is None
        else {"row": difference.seq, "recorded": _row(difference.recorded), "replayed": _row(difference.replayed)},
    }


def _row(row: JournalRow | None) -> dict[str, Any] | None:
    return None if row is None else {"kind": row.kind, "name": row.name, "time": row.time, "body": row.body}


def _sentences(difference: Difference) -> str:
    sides = {"recorded": difference.recorded, "replayed": difference.replayed}
    lines = [f"  {side}: {_sentence(row)}" for side, row in sides.items()]
    return "\n".join([f"the first difference is at row {difference.seq}:", *lines])


def _sentence(row: JournalRow | None) -> str:
    """All that is compared; the time in milliseconds, as the journal has it."""
    return "nothing more" if row is None else f"{row.kind} {row.name} at {row.time} {row.body}"
