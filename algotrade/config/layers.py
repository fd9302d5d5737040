"""The sources of settings, one layer each: a file, the environment, the flags; checked before they are overlaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from algotrade.config.file import CONFIG_HINT, key_line, masked, read_toml, refuse_secrets
from algotrade.config.values import SECTIONS, ExchangeOptions, Values
from algotrade.errors import FixCommand, FixConfiguration, did_you_mean
from algotrade.exchange.opening import names_without_loading

PREFIX: Final = "ALGOTRADE_"
UNPREFIXED: Final = ("defaults", "store")  # their keys are ALGOTRADE_<KEY>; the others' ALGOTRADE_<TABLE>_<KEY>


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
    _refuse_unknown_exchanges(values, shown)
    origins = {key: f"{shown}{key_line(text, key)}" for key, _ in flatten(values)}
    return Layer(_anchored(values, path.parent), origins)


def _refuse_unknown_exchanges(values: Mapping[str, Any], shown: Path) -> None:
    """A table for an exchange that there is not would never be read."""
    tables = values.get("exchange")
    for name in tables if isinstance(tables, Mapping) else ():
        if name not in (known := names_without_loading()):
            raise FixConfiguration(
                f"[exchange.{name}] ({shown}): there is no exchange '{name}'.{did_you_mean(name, known)}",
                hint="algotrade list exchanges",
            )


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """The values of ALGOTRADE_* variables, read in the types of their keys; an empty one says nothing.

    Raises:
        FixConfiguration: a value cannot be read, or a name is nearly one of ours.
    """
    names = {
        _variable(section, key): (section, key) for section, model in SECTIONS.items() for key in model.model_fields
    }
    texts: dict[str, dict[str, str]] = {}
    origins: dict[str, str] = {}
    for variable, text in environment.items():
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
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    dotted = ".".join(place)
    origin = next((at for key, at in layer.origins.items() if f"{key}.".startswith(f"{dotted}.")), "")
    table = f" in [{'.'.join(place[:-1])}]" if len(place) > 1 else ""
    where = f"{table} ({origin})" if origin else table
    if first["type"] == "extra_forbidden":
        return layer.error(f"unknown key '{place[-1]}'{where}.{_nearest_key(place)}", hint=CONFIG_HINT)
    wanted = first["msg"].replace("Input should be", "must be").removeprefix("Value error, ")
    if layer.error is FixCommand:
        hint = "algotrade list timeframes" if place[-1] == "timeframe" else CONFIG_HINT
        return FixCommand(f"{origin} {masked(first['input'])}: {wanted}", hint=hint)
    return layer.error(f"{place[-1]} = {masked(first['input'])!r}{where}: {wanted}", hint=CONFIG_HINT)


def _nearest_key(place: list[str]) -> str:
    *tables, key = place
    if tables:
        model = ExchangeOptions if tables[0] == "exchange" else SECTIONS[tables[0]]
        return did_you_mean(key, model.model_fields)
    homes = [section for section, model in SECTIONS.items() if key in model.model_fields]
    return f" It belongs under [{homes[0]}]" if homes else did_you_mean(key, Values.model_fields)


def flatten(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of every leaf."""
    for key, value in values.items():
        if isinstance(value, Mapping) and (value or not above):
            yield from flatten(value, f"{above}{key}.")
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
