"""JSON Schemas (2020-12) of everything that --json prints, a file each, and the declarations that they are made from.

`python -m algotrade.schemas` writes the files anew; a test compares them with the declarations.
"""

from __future__ import annotations

import json
from pathlib import Path


def schema_files() -> dict[str, Path]:
    """The files by what `"schema"` is in the objects that they describe: "algotrade.fetch/1"."""
    paths = sorted(Path(__file__).parent.glob("*.json"))
    return {json.loads(path.read_text(encoding="utf-8"))["title"]: path for path in paths}
