"""Reading one algotrade.toml: errors with their line, and no secrets in it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from algotrade.errors import FixConfiguration, NotAllowed

CONFIG_HINT: Final = "algotrade config show --defaults"
SECRET_ENDINGS: Final = ("apikey", "secret", "password", "passphrase", "privatekey", "token", "twofa", "authorization")
THOUSANDS: Final = re.compile(r"=\s*([-+]?\d{1,3}(?:,\d{3})+)\b")
BARE_WORD: Final = re.compile(r"=\s*([A-Za-z][\w./:-]*)\s*(?:#.*)?$")
# Up to the last @, for one may stand in the password itself; without any @, what stands for the port and is no number.
PASSWORD_IN_URL: Final = re.compile(r"(://[^:/@\s]*:)(?:[^\n]+(?=@)|(?!\d*(?:[/?#\s\"']|$))[^/?#\s\"']+)")
PASSWORD_IN_QUERY: Final = re.compile(r"([?&][^=&\s]*(?:passw|secret|token)[^=&\s]*=)[^&\s\"']+", re.IGNORECASE)
POSITION: Final = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Text and values of a TOML file.

    Raises:
        FixConfiguration: it cannot be read, is not UTF-8, or is not TOML; with line, column and the line itself.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise FixConfiguration(f"cannot read {path}: {error.strerror}", hint=CONFIG_HINT) from None
    except UnicodeDecodeError as error:
        raise FixConfiguration(f"{path} is not UTF-8 text (byte {error.start})", hint=CONFIG_HINT) from None
    except tomllib.TOMLDecodeError as error:
        raise FixConfiguration(_syntax_error(path, text, str(error)), hint=CONFIG_HINT) from None


def key_line(text: str, dotted: str) -> str:
    """ ":7" for the line on which a dotted key ("risk.max_daily_loss", "fetch.0.symbol") is given its value.

    Empty where that cannot be seen.
    """
    table = ""
    entries: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        entry = re.match(r"\s*\[\[\s*([\w.-]+)\s*\]\]", line)
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        assignment = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if entry:
            table = f"{entry[1]}.{entries[entry[1]]}."
            entries[entry[1]] += 1
        elif header:
            table = re.sub(r"[\"'\s]", "", header[1]) + "."
        elif assignment and f"{dotted}.".startswith(table + re.sub(r"[\"']", "", assignment[1]) + "."):
            return f":{number}"
    return ""


def refuse_secrets(values: Mapping[str, Any], shown: Path, above: str = "") -> None:
    """Refuse a key that names a secret, and a database URL with a password in it.

    Raises:
        NotAllowed: with the key, never with its value.
    """
    for key, value in values.items():
        dotted = f"{above}{key}"
        if re.sub(r"[_\-\s]", "", key).casefold().endswith(SECRET_ENDINGS):
            raise NotAllowed(
                f"{shown} holds a secret ({dotted}); files are shared and copied, so it is not read from there",
                hint=CONFIG_HINT,
            )
        if dotted == "store.database" and masked(value) != value:
            raise NotAllowed(
                f"{shown} holds a password (in {dotted}); set the variable ALGOTRADE_DATABASE_URL instead",
                hint=CONFIG_HINT,
            )
        if isinstance(value, Mapping):
            refuse_secrets(value, shown, f"{dotted}.")
        elif isinstance(value, list):
            tables = {str(number): item for number, item in enumerate(value) if isinstance(item, Mapping)}
            refuse_secrets(tables, shown, f"{dotted}.")


def masked(value: Any) -> Any:
    """The value with the password of a URL replaced by ***, wherever somebody may have put it."""
    if not isinstance(value, str):
        return value
    return PASSWORD_IN_QUERY.sub(r"\1***", PASSWORD_IN_URL.sub(r"\1***", value))


def _syntax_error(path: Path, text: str, reason: str) -> str:
    position = POSITION.search(reason)
    lines = text.splitlines()
    number = int(position[1]) if position and position[1] else len(lines)
    line = lines[number - 1].strip() if lines else ""
    column = f", column {position[2]}" if position and position[2] else ""
    return f"{path.name} line {number}{column}: {masked(line)} - {_advice(line) or POSITION.sub('', reason).strip()}"


def _advice(line: str) -> str:
    grouped = THOUSANDS.search(line)
    if grouped:
        digits = grouped[1].replace(",", "")
        return f"write {digits} or {grouped[1].replace(',', '_')}"
    word = BARE_WORD.search(line)
    return f'write "{word[1]}" in quotes' if word else ""
