"""What --json printed, held against the published schemas."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from algotrade.schemas import schema_files


def check_document(document: dict[str, Any]) -> None:
    """Fail with the place and what is wrong there, unless the object is as its schema says."""
    error = best_match(_validator(document["schema"]).iter_errors(document))
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the object"
        raise AssertionError(
            f"{document['schema']}: {place}: {error.message[:500]}\nif this is meant, change the declaration in"
            " algotrade/schemas/*.py and run `python -m algotrade.schemas`"
        )


def check_output(text: str) -> None:
    """The same for all that a command printed: one object, or `live`'s lines."""
    for document in [json.loads(text)] if text.startswith("{\n") else map(json.loads, text.splitlines()):
        check_document(document)


@cache
def _validator(schema: str) -> Draft202012Validator:
    content = json.loads(schema_files()[schema].read_text())
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)
