"""Every example runs, without a network, and prints what it printed when it was written: the demo market is the same
for everyone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_readme import ROOT, environment

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PRINTED = Path(__file__).parent / "printed"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_prints_what_it_did(example: Path, tmp_path: Path) -> None:
    (tmp_path / "algotrade.toml").write_text("")  # a project of its own, with a database of its own
    done = subprocess.run(
        [sys.executable, example],
        cwd=tmp_path,
        env=environment(tmp_path),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout == (PRINTED / f"{example.stem}.txt").read_text(encoding="utf-8")


def test_there_is_an_expected_output_for_every_example() -> None:
    assert [path.stem for path in sorted(PRINTED.iterdir())] == [path.stem for path in EXAMPLES]
    assert len(EXAMPLES) == 4
