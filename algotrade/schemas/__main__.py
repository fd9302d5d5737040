"""Write the schema files anew: `python -m algotrade.schemas`."""

from __future__ import annotations

from pathlib import Path

from algotrade.schemas import schema_files
from algotrade.schemas.written import schema_texts

if __name__ == "__main__":
    texts = schema_texts()
    for path in schema_files().values():
        if path.stem not in texts:
            path.unlink()
    for name, text in texts.items():
        Path(__file__).with_name(f"{name}.json").write_text(text, encoding="utf-8")
