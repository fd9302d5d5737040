"""The sources of settings, one layer each: a file, the environment, the flags; checked before they are overlaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from algotrade.config.file import CONFIG_HINT, key_line, masked, read_toml, refuse_secrets
from algotrade.config.values import SECTIONS, ExchangeOptions, FetchEntry, Values
from algotrade.errors import FixCommand, FixConfiguration, did_you_mean
from algotrade.exchange.opening import names_without_loading

PREFIX: Final = "ALGOTRADE_"
UNPREFIXED: Final = ("defaults", "store")  # their keys are ALGOTRADE_<KEY>; the others' ALGOTRADE_<TABLE>_<KEY>
ALIASES: Final = {"ALGOTRADE_DATABASE_URL": ("store", "database")}  # read after the shorter name: it wins


class Layer(NamedTuple):
    """One source of values: nested values, where each dotted key stands, and the error that a bad value is."""

    values: dict[str, Any]
    origins: Mapping[str, str]
    error: type[FixCommand | FixConfiguration] = FixConfiguration


def file_layer(path: Path) -> Layer:
    """The values of a TOML file.

    Raises:
        FixConfiguration: it cannot be read or is not TOML.
        NotAllowed: it holds a secret.
    """
    text, values = read_toml(path)
    shown = _shown(path)
    refuse_secrets(values, shown)
    _refuse_unknown_exchanges(values, shown, text)
    origins = {key: f"{shown}{key_line(text, key)}" for key, _ in flatten(values)}
    return Layer(_anchored(values, path.parent), origins)


def _refuse_unknown_exchanges(values: Mapping[str, Any], shown: Path, text: str) -> None:
    """A table for an exchange that there is not would never be read, an entry that names one would fetch nothing."""
    tables, entries = values.get("exchange"), values.get("fetch")
    named = {f"exchange.{name}": name for name in tables} if isinstance(tables, Mapping) else {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping) and isinstance(entry.get("exchange"), str):
            named[f"fetch.{number}.exchange"] = entry["exchange"]
    for key, name in named.items():
        if name not in (known := names_without_loading()):
            table = f"[{key}]" if key.startswith("exchange.") else "[[fetch]]"
            raise FixConfiguration(
                f"{table} ({shown}{key_line(text, key)}): there is no exchange '{name}'.{did_you_mean(name, known)}",
                hint="algotrade list exchanges",
            )


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """The values of ALGOTRADE_* variables, read in the types of their keys; an empty one says nothing.

    Raises:
        FixConfiguration: a value cannot be read, or a name is nearly one of ours.
    """
    names = {
        _variable(section, key): (section, key) for section, model in SECTIONS.items() for key in model.model_fields
    } | ALIASES
    texts: dict[str, dict[str, str]] = {}
    origins: dict[str, str] = {}
    for variable, text in sorted(environment.items()):
        if variable.startswith(PREFIX) and variable not in names:
            _refuse_misspelt(variable, names)
        elif variable in names and text:
            section, key = names[variable]
            texts.setdefault(section, {})[key] = text
            origins[f"{section}.{key}"] = variable
    try:
        values = Values.model_validate_strings(texts).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise _sentence(error, Layer(texts, origins)) from None
    return Layer(_anchored(values, Path.cwd()), origins)


def flag_layer(flags: Mapping[str, object]) -> Layer:
    """The values of the command line, by dotted key; None where a flag was not given."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for dotted, value in flags.items():
        if value is not None:
            section, key = dotted.split(".")
            values.setdefault(section, {})[key] = value
            origins[dotted] = f"--{key.replace('_', '-')}"
    return Layer(_anchored(values, Path.cwd()), origins, FixCommand)


def _anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values with a database path made absolute: it is relative to the folder of the file that says it."""
    match values:
        case {"store": {"database": str(location), **others}} if location and "://" not in location:
            return {**values, "store": {**others, "database": str((folder / Path(location).expanduser()).absolute())}}
    return values


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{'' if section in UNPREFIXED else section.upper() + '_'}{key.upper()}"


def _refuse_misspelt(variable: str, names: Mapping[str, object]) -> None:
    """A variable that is nearly one of ours is a slip; one that is not is somebody else's."""
    near = did_you_mean(variable.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in names])
    if near and variable != PREFIX + "CONFIG":
        full = near.replace("'", f"'{PREFIX}", 1)
        raise FixConfiguration(f"unknown environment variable {variable}.{full}", hint=CONFIG_HINT)


def checked(layer: Layer) -> Layer:
    """The layer itself.

    Raises:
        FixConfiguration, FixCommand: an unknown key or a value that cannot be, with the place where it stands.
    """
    try:
        Values.model_validate(layer.values)
    except ValidationError as error:
        raise _sentence(error, layer) from None
    return layer


def _sentence(error: ValidationError, layer: Layer) -> FixCommand | FixConfiguration:
    """The first thing wrong in a layer, in our words: which key, where it stands, what it should be."""
    found = error.errors(include_url=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])  # a misspelt key is missing, too
    place = [str(part) for part in first["loc"]]
    origin = _origin(place, layer.origins)
    table = _table_of(place)
    where = f"{table} ({origin})" if origin else table
    if first["type"] == "extra_forbidden":
        return layer.error(f"unknown key '{place[-1]}'{where}.{_nearest_key(place)}", hint=CONFIG_HINT)
    if first["type"] == "missing":
        return layer.error(f"'{place[-1]}' is missing{where}", hint=CONFIG_HINT)
    wanted = first["msg"].replace("Input should be", "must be").removeprefix("Value error, ")
    if layer.error is FixCommand:
        hint = "algotrade list timeframes" if place[-1] == "timeframe" else CONFIG_HINT
        return FixCommand(f"{origin} {_shortened(str(masked(first['input'])))}: {wanted}", hint=hint)
    key = next((part for part in reversed(place) if not part.isdigit()), "")
    given = "" if isinstance(first["input"], Mapping) else f" = {_shortened(repr(masked(first['input'])))}"
    return layer.error(f"{key}{given}{where}: {wanted}", hint=CONFIG_HINT)


def _origin(place: list[str], origins: Mapping[str, str]) -> str:
    """Where the value of a place stands, else what is nearest to it in its table; empty where nothing is."""
    for length in range(len(place), 0, -1):
        dotted = ".".join(place[:length])
        for key, at in origins.items():
            if f"{key}.".startswith(f"{dotted}."):
                return at
    return ""


def _table_of(place: list[str]) -> str:
    """ " in [risk]" or " in [[fetch]]", as the file has it; empty for a key of no table."""
    if place[0] == "fetch" and len(place) > 2:
        return " in [[fetch]]"
    if len(place) > 1 and place[-1].isdigit():
        return ""
    return f" in [{'.'.join(place[:-1])}]" if len(place) > 1 else ""


def _shortened(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _nearest_key(place: list[str]) -> str:
    *tables, key = place
    if tables:
        models: dict[str, type[BaseModel]] = {"exchange": ExchangeOptions, "fetch": FetchEntry, **SECTIONS}
        model = models[tables[0]]
        return did_you_mean(key, model.model_fields)
    homes = [section for section, model in SECTIONS.items() if key in model.model_fields]
    return f" It belongs under [{homes[0]}]" if homes else did_you_mean(key, Values.model_fields)


def flatten(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of every leaf; the tables of a list are numbered, "fetch.0.symbol"."""
    for key, value in values.items():
        if isinstance(value, Mapping) and (value or not above):
            yield from flatten(value, f"{above}{key}.")
        elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
            yield from flatten({str(number): item for number, item in enumerate(value)}, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables as one, values of `above` winning, tables merged."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = overlaid(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def _shown(path: Path) -> Path:
    """As short as it is clear: relative to the current folder where it lies inside."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
