from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from algotrade.errors import FixConfiguration
from algotrade.show.export import write_tables
from tests.shell.show.samples import make_run


def read(file) -> pd.DataFrame:
    """As other programs do: text to the nearest float."""
    with file.open() as lines:
        header, *rows = csv.reader(lines)
    table = pd.DataFrame(rows, columns=header)
    return table.assign(**{name: table[name].map(float) for name in ("equity", "price", "profit") if name in header})


def test_tables_survive_as_csv_to_the_last_bit(tmp_path):
    result = make_run().result
    files = write_tables(result, tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["fills.csv", "round_trips.csv", "equity.csv"]
    fills, trips, equity = (read(file) for file in files)
    assert np.array_equal(equity["equity"], result.equity_values)
    assert np.array_equal(fills["price"], result.filled.price)
    assert np.array_equal(trips["profit"], result.round_trips["profit"])
    assert equity["time"][0] == "2018-01-01T00:00:00Z"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FixConfiguration, match="cannot write"):
        write_tables(make_run().result, tmp_path / "file" / "folder")
