"""The published schemas are those of the declarations, there is one for each object, and each says all of it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from algotrade.cli.live_session import print_records
from algotrade.cli.output import Output
from algotrade.engine.events import Charged
from algotrade.engine.orders import Order, Role
from algotrade.engine.records import KINDS
from algotrade.errors import AlgotradeError
from algotrade.live.states import State
from algotrade.live.trader import Update
from algotrade.schemas import schema_files
from algotrade.schemas.vocabulary import ErrorKind
from algotrade.schemas.written import schema_texts
from tests.published import check_document, check_output

ROOT = Path(__file__).parents[2]
NUMBERS = {"number", "integer"}
UNITS = re.compile(
    r"\bunits?\b|fraction|multiple|ratio|milliseconds|count\b|how many|how much|exit code|1 buy"
    r"|(bars|candles|trades|fills|rows|row|line|trips|orders|holes|gaps|changes)\b"
)


def test_the_files_are_what_the_declarations_say() -> None:
    written = {path.stem: path.read_text() for path in schema_files().values()}
    assert written == schema_texts(), "run `python -m algotrade.schemas`"


def test_there_is_a_schema_for_every_object_that_the_program_prints() -> None:
    source = "".join(path.read_text() for path in (ROOT / "algotrade" / "cli").glob("*.py"))
    printed = set(re.findall(r'"(algotrade\.[a-z_]+/\d+)"', source))
    lists = {
        f"algotrade.list_{name}/1"
        for name in re.findall(r'_print\(\s*invocation(?:_of\(context\))?, *\n? *"(\w+)"', source)
    }
    assert printed | lists == set(schema_files())


@pytest.mark.parametrize("schema", schema_files())
def test_every_key_is_described_required_and_of_a_known_unit(schema: str) -> None:
    content = json.loads(schema_files()[schema].read_text())
    for place, described in _objects(schema, content):
        left_out = {key for key, value in described["properties"].items() if "left out" in value.get("description", "")}
        assert set(described.get("required", ())) == set(described["properties"]) - left_out, place
        assert described["additionalProperties"] is False or place.endswith("/Saw"), place
        for key, value in described["properties"].items():
            text = value.get("description", "")
            assert text or "const" in value or "$ref" in value, f"{place}/{key} is not described"
            if NUMBERS & set(_types(value)):
                assert UNITS.search(text), f"{place}/{key} has no unit: {text}"


def _objects(place: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in [(place, schema), *((f"{place}/{name}", part) for name, part in schema.get("$defs", {}).items())]:
        if part.get("properties"):
            yield name, part


def _types(value: dict[str, Any]) -> Iterator[str]:
    for kind in [value, *value.get("anyOf", [])]:
        yield kind.get("type", "")


def test_the_kinds_of_failure_are_those_of_the_errors() -> None:
    found, open_classes = {"interrupted", "pipe"}, [AlgotradeError]
    while open_classes:
        error = open_classes.pop()
        found.add(error.kind)
        open_classes += error.__subclasses__()
    assert found == set(get_args(ErrorKind))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_record_of_a_session_is_a_line_of_the_schema(kind: type[Any]) -> None:
    stdout = io.StringIO()
    note = Update(State.DEGRADED, (_example(kind),), 0, "the feed fails")
    print_records(note, Output(json=True, stdout=stdout))
    check_output(stdout.getvalue())


def _example(kind: type[Any]) -> Any:
    order = Order("BTC/USD@0#1", "BTC/USD", 0, 1, quantity=0.5)
    values = {"order": order, "side": 1, "action": "hold", "exposure": float("nan")}
    values |= {"reason": "borrow"} if kind is Charged else {}
    plain = {int: 1, float: 1.5, str: "BTC/USD", bool: True, Role: Role.STOP_LOSS}
    return kind(**{name: values.get(name, plain.get(hint)) for name, hint in get_type_hints(kind).items()})


@pytest.mark.parametrize(
    "change", [{"more": 1}, {"error": None}, {"error": {"code": 1, "kind": "odd", "message": "", "hint": None}}]
)
def test_an_object_that_is_otherwise_is_told(change: dict[str, Any]) -> None:
    sound = {"schema": "algotrade.error/1", "error": {"code": 2, "kind": "usage", "message": "no", "hint": None}}
    check_document(sound)
    with pytest.raises(AssertionError, match=r"algotrade\.error/1"):
        check_document({**sound, **change})
