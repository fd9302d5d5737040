"""`algotrade verify`: run a result again; every figure must come out byte for byte."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algotrade.cli.invocation import Invocation, invocation_of

if TYPE_CHECKING:
    from algotrade.config import Settings
    from algotrade.store.database import Database
    from algotrade.verification.rerun import Code, Verification
    from algotrade.verification.result_file import ResultFile

STDIN: Final = "-"

app = typer.Typer(add_completion=False, rich_help_panel="Test")


@app.command()
def verify(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="FILE|-|RUN|latest", help="A result file, stdin, or a kept run.")
    ] = "latest",
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="Run this one of yours, by name or path, whatever was recorded.")
    ] = None,
    run_recorded_code: Annotated[
        bool, typer.Option("--run-recorded-code", help="Run the file's own code: like running a program of its sender.")
    ] = False,
) -> None:
    """Run a result again over the stored candles and compare every figure, byte for byte; exits with 5 if one differs.

    Says what changed: the file, the bars (which, and by which revision), the code, the figures.

    Which code runs: the strategy that --strategy names, if it is given, also if it is not the recorded code. Else
    your own strategy of the recorded name, if it is the same code. Else the code as recorded, if the run is one of
    those kept here or --run-recorded-code is given. Else none: the code in a file from elsewhere is not run unasked.

    [bold]Examples[/bold]
      algotrade backtest --symbol BTC/USD --save result.json
      algotrade verify result.json
      algotrade verify latest
    """
    from algotrade.errors import FixCommand, NotAllowed, ReviewResult
    from algotrade.store.database import open_database
    from algotrade.verification.rerun import verify as run_again

    invocation = invocation_of(context)
    if strategy is not None and run_recorded_code:
        raise FixCommand("--strategy and --run-recorded-code name two codes: give one", hint="algotrade verify -h")
    settings = invocation.settings()
    with open_database(settings.database) as database:
        result, known = _read(name, database)
        try:
            code = _code(result, settings, strategy, run_recorded=run_recorded_code or known)
        except NotAllowed as error:
            if not result.intact:
                raise ReviewResult(_edited(result), hint="algotrade list runs") from None
            error.hint = f"algotrade verify {shlex.quote(name) if name.isprintable() else 'FILE'} --run-recorded-code"
            raise
        verification = run_again(result, code, database)
    if code.outdated:
        name = result.body["strategy"]["name"]
        invocation.output.note(f"your {name} has changed since; verified with the code as recorded")
    _tell(verification, invocation)


def _read(name: str, database: Database) -> tuple[ResultFile, bool]:
    """The result, and whether its code is the person's own: that of a run kept here."""
    from algotrade.store.runs import find_run
    from algotrade.verification.result_file import read_result, result_of_kept

    path = Path(name)
    if name != STDIN and not path.is_file():
        kept = _kept(name, database)
        return result_of_kept(kept.document, kept.created_ms), True
    result = read_result(_content(name), "stdin" if name == STDIN else path.name)
    own = find_run(database, result.run)
    recorded = result.body["strategy"]
    return result, own is not None and all(
        own.document["strategy"].get(part) == recorded[part] for part in ("source", "class", "file")
    )


def _kept(name: str, database: Database) -> Any:
    from algotrade.errors import FixCommand
    from algotrade.store.runs import find_run, load_run

    looks_like_a_file = name.endswith(".json") or "/" in name
    if looks_like_a_file:
        raise FixCommand(f"there is no file {name}", hint="algotrade backtest --symbol BTC/USD --save result.json")
    return find_run(database, load_run(database, name)["run"])


def _content(name: str) -> bytes:
    """The bytes, one more than a result may have at most."""
    from algotrade.errors import FixData
    from algotrade.verification.result_file import LARGEST

    if name == STDIN:
        return b"" if sys.stdin is None else sys.stdin.buffer.read(LARGEST + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise FixData(f"{name} cannot be read: {error.strerror}") from None


def _code(result: ResultFile, settings: Settings, named: str | None, *, run_recorded: bool) -> Code:
    from algotrade.discover import strategy_sources
    from algotrade.verification.rerun import code_of

    return code_of(result, strategy_sources(settings), named=named, run_recorded=run_recorded)


def _edited(result: ResultFile) -> str:
    return f"result {result.run} was changed after it was written: its hash is not that of its content"


def _tell(verification: Verification, invocation: Invocation) -> None:
    from algotrade.errors import ReviewResult

    for name, (then, now) in verification.versions.items():
        invocation.output.note(f"made with {name} {then}, verified with {now}")
    invocation.output.document("algotrade.verify/1", _document(verification))
    changed = verification.changed
    if invocation.json:
        if changed:
            raise typer.Exit(ReviewResult.exit_code)
        return
    if not changed:
        text = f"verified: {verification.bars:,} bars, {verification.fills:,} fills, every figure the same"
        invocation.output.console.print(text, soft_wrap=True)
        return
    from algotrade.show.tables import pairs, print_result

    print_result(invocation.output.console, pairs(_sentences(verification)))
    raise ReviewResult(
        f"run {verification.run} does not verify: not the same {_listed(changed)}", hint="algotrade list data"
    )


def _sentences(verification: Verification) -> Iterator[tuple[str, str]]:
    """What is not as it was, each with the part it is about."""
    from algotrade.show.verification import data_sentences, figure_sentences

    if not verification.intact:
        yield "file", "it was changed after it was written: its hash is not that of its content"
    for sentence in data_sentences(verification.data):
        yield "data", sentence
    if not verification.code.same:
        text_runs = "the recorded text is run, but a module that it imports is another now"
        yield (
            "code",
            "what --strategy names was run, and is not the recorded code" if verification.code.own else text_runs,
        )
    for name, (then, _) in verification.checks.items():
        before, after = ("passed", "fails") if then else ("failed", "passes")
        yield "checks", f"{name.replace('_', '-')} {before} then and {after} now"
    for sentence in figure_sentences(verification.figures):
        yield "figures", sentence
    if verification.data.undone and not verification.figures:
        yield "figures", "on the bars as they were every figure is the same"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _document(verification: Verification) -> dict[str, Any]:
    from algotrade.evaluate.rows import without_nan
    from algotrade.market.candles import iso

    data = verification.data
    plain: dict[str, Any] = without_nan(
        {
            "run": verification.run,
            "same": not verification.changed,
            "changed": verification.changed,
            "bars": verification.bars,
            "fills": verification.fills,
            "own_code": verification.code.own,
            "outdated": verification.code.outdated,
            "versions_changed": {
                name: {"recorded": then, "now": now} for name, (then, now) in verification.versions.items()
            },
            "revised": [
                {"time": iso(one.time), "seen": iso(one.seen_ms), "then": list(one.old), "now": list(one.new)}
                for one in data.undone
            ],
            "blocks": [
                {"start": iso(change.start), **{side: block and block.rows for side, block in change._asdict().items()}}
                for change in data.differing
            ],
            "checks": {name: {"recorded": then, "now": now} for name, (then, now) in verification.checks.items()},
            "figures": [difference._asdict() for difference in verification.figures],
        }
    )
    return plain
