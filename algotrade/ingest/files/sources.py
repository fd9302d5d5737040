"""Which files hold a series: the one that was named, or those of a folder or a zip archive whose names fit.

A name inside an archive is only ever compared and shown; nothing is unpacked to the disk.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from algotrade.errors import FixCommand, FixData
from algotrade.ingest.files.names import NamedSeries, contradicts, printable, read_name

ZIP_MAGIC: Final = b"PK\x03\x04"
EMPTY_ZIP_MAGIC: Final = b"PK\x05\x06"
DAMAGED: Final = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError)
MOST_FILES: Final = 100_000
LARGEST_RATIO: Final = 200  # rows of numbers pack to a fifth, minutes without a trade to a fiftieth
ALWAYS_FINE: Final = 1 << 26  # bytes


class Source(NamedTuple):
    """A file of rows.

    Attributes:
        path: the file, or the zip archive that it is in.
        member: its name inside the archive; "" for a file of its own.
    """

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Without folders, and without anything that a terminal would obey: whoever packed an archive chose it."""
        return printable(self.member.replace("\\", "/").rpartition("/")[2] if self.member else self.path.name)

    @property
    def place(self) -> str:
        """The same, with the archive that it is in."""
        return f"{self.name} of {printable(self.path.name)}" if self.member else self.name

    @contextmanager
    def opened(self) -> Iterator[io.BufferedReader]:
        """Its bytes.

        Raises:
            FixData: it is damaged, locked with a password, or a bomb.
        """
        if not self.member:
            with self.path.open("rb") as stream:
                yield stream
            return
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(_harmless(archive, self.member)) as packed:
                yield io.BufferedReader(packed)  # type: ignore[arg-type]  # which has all that is asked of a raw stream
        except DAMAGED as error:
            raise FixData(f"the zip archive is damaged or of an unknown kind: {error}") from None


class FoundSeries(NamedTuple):
    """Files of one series.

    Attributes:
        sources: at least one.
        symbol: given, or taken from the names; "" where neither says it.
        timeframe: given, or taken from the names; "" where neither says it.
        taken: what the names told that was not given, as a sentence; "" for nothing.
        doubt: what a name says against what was given, as a sentence; "" for nothing.
    """

    sources: tuple[Source, ...]
    symbol: str
    timeframe: str
    taken: str
    doubt: str = ""


def find_sources(path: Path, symbol: str, timeframe: str) -> FoundSeries:
    """The files of a series under a path.

    Args:
        path: a file, a folder or a zip archive; a folder is searched with all below it, archives in it too.
        symbol: "" for what the names say.
        timeframe: "" for what the names say.

    Raises:
        FixData: there is no such file, or none that fits.
        FixCommand: several fit, and the symbol or the timeframe must say which.
    """
    if not path.exists():
        raise FixData("there is no such file")
    if not path.is_dir() and not is_zip(path):
        return _of_names([Source(path)], read_name(path.name, symbol), symbol, timeframe)
    found = list(_sources_below(path))
    if len(found) == 1:
        return _of_names(found, read_name(found[0].name, symbol), symbol, timeframe)
    named = [(source, series) for source in found if (series := read_name(source.name, symbol))]
    symbol = symbol or _only_symbol(named)
    fitting = [(source, series) for source, series in named if series.symbol == symbol]
    series = NamedSeries(symbol, _choose_timeframe([series for _, series in fitting], symbol, timeframe))
    chosen = [source for source, its in fitting if its.timeframe == series.timeframe]
    return _of_names(chosen, series, symbol, timeframe)


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, whatever its name says."""
    with path.open("rb") as stream:
        return stream.read(4) in (ZIP_MAGIC, EMPTY_ZIP_MAGIC)


def _of_names(sources: list[Source], named: NamedSeries | None, symbol: str, timeframe: str) -> FoundSeries:
    series = named or NamedSeries("", "")
    taken = [series.symbol] if series.symbol and not symbol else []
    taken += [series.timeframe] if series.timeframe and not timeframe else []
    said = f"{' '.join(taken)} is what the name {sources[0].name} says" if taken else ""
    found = NamedSeries(symbol or series.symbol, timeframe or series.timeframe)
    doubt = ""
    if contradicts(series, *found):
        doubt = f"warning: the name {sources[0].name} says {_words(series)}, and it is stored as {_words(found)}"
    return FoundSeries(tuple(sources), *found, said, doubt)


def _words(series: NamedSeries) -> str:
    return " ".join(filter(None, series))


def _sources_below(path: Path) -> Iterator[Source]:
    count = 0
    for file in _files_below(path) if path.is_dir() else [path]:
        for source in _members(file, among=path.is_dir()) if is_zip(file) else [Source(file)]:
            count += 1
            if count > MOST_FILES:
                raise FixData(f"it holds more than {MOST_FILES} files")
            yield source


def _files_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names) if Path(place, name).is_file())


def _members(path: Path, *, among: bool) -> Iterator[Source]:
    """What is in an archive, itself perhaps `among` other files: then an error says which one it is about."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except DAMAGED as error:
        where = f" (in {printable(path.name)})" if among else ""
        raise FixData(f"the zip archive is damaged or of an unknown kind: {error}{where}") from None
    for entry in entries:
        source = Source(path, entry.filename)
        if not entry.is_dir() and not source.name.startswith("._"):  # what macOS adds
            yield source


def _harmless(archive: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    entry = archive.getinfo(member)
    if entry.flag_bits & 1:
        raise FixData("it is locked with a password")
    if entry.file_size > max(ALWAYS_FINE, LARGEST_RATIO * entry.compress_size):
        raise FixData(f"it unpacks to more than {LARGEST_RATIO} times its size: no file of candles does")
    return entry


def _only_symbol(named: list[tuple[Source, NamedSeries]]) -> str:
    symbols = sorted({series.symbol for _, series in named})
    if not symbols:
        raise FixData("none of its file names says what it holds; give one of the files")
    if len(symbols) > 1:
        listed = ", ".join(symbols[:5]) + (", ..." if len(symbols) > 5 else "")
        raise FixCommand(f"it holds {len(symbols)} markets ({listed})", hint=f"--symbol {symbols[0]}")
    return symbols[0]


def _choose_timeframe(series: list[NamedSeries], symbol: str, timeframe: str) -> str:
    """The timeframe in the names of the files to read; "" for files of trades."""
    if not series:
        raise FixData(f"none of its files is named like one of {symbol}")
    found = sorted({its.timeframe for its in series if its.timeframe})
    trades = any(not its.timeframe for its in series)
    if timeframe in found:
        return timeframe
    if trades and (timeframe or not found):
        return ""
    if timeframe:
        raise FixData(f"it holds {symbol} in {', '.join(found)}, not in {timeframe}", hint=f"--timeframe {found[0]}")
    if len(found) > 1:
        raise FixCommand(f"it holds {symbol} in {', '.join(found)}", hint=f"--timeframe {found[0]}")
    return found[0]
