"""From declarations to the text of JSON Schema files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from inspect import getmembers, isclass
from types import ModuleType
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from algotrade.schemas import funding, judgements, project, records, runs, sessions, stored, vocabulary

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MODULES: Final = (funding, judgements, project, records, runs, sessions, stored, vocabulary)


def schema_texts() -> dict[str, str]:
    """The text of every file by its name without ending."""
    found = [_published(model) for module in MODULES for model in _documents(module)]
    return {
        schema["title"].removeprefix("algotrade.").split("/")[0]: json.dumps(schema, indent=2) + "\n"
        for schema in sorted(found, key=lambda schema: str(schema["title"]))
    }


def _documents(module: ModuleType) -> Iterator[type[BaseModel]]:
    """The declarations of whole objects: those that a module itself makes and that say which schema they have."""
    for _, model in getmembers(module, isclass):
        if issubclass(model, BaseModel) and model.__module__ == module.__name__ and _schema_name(model):
            yield model


def _schema_name(model: type[BaseModel]) -> str:
    """ "algotrade.fetch/1"; the empty string for a part of an object, or one line's kind among many."""
    if model is sessions.LiveLine:
        return "algotrade.live/1"
    if "schema_" not in model.model_fields or issubclass(model, records.Line):
        return ""
    return str(getattr(model.model_fields["schema_"].annotation, "__args__", [""])[0])


def _published(model: type[BaseModel]) -> dict[str, Any]:
    title = _schema_name(model)
    schema = model.model_json_schema(schema_generator=_Generator)
    name, version = title.removeprefix("algotrade.").split("/")
    head = {"$schema": DIALECT, "$id": f"urn:algotrade:{name}:{version}", "title": title}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


class _Generator(GenerateJsonSchema):
    """Pydantic's, without a title that repeats each key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
