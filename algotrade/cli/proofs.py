"""What proves that a series' trades are complete, as a fetch and `algotrade list data --proof` show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from algotrade.cli.invocation import Invocation
from algotrade.cli.stored_faults import chosen_series, open_store
from algotrade.cli.wanted import Wanted
from algotrade.errors import AlgotradeError

if TYPE_CHECKING:
    from algotrade.ingest.trades.proof import Difference, Proof, ProvenChain
    from algotrade.market.candles import SeriesKey
    from algotrade.store.database import Database

Proofs = Mapping["SeriesKey", "Proof"]


def proofs_of(database: Database, keys: Iterable[SeriesKey]) -> Proofs:
    """The proofs of those series that were made of downloaded trades."""
    from algotrade.ingest.trades.proof import proof_of

    found = {}
    with suppress(AlgotradeError):  # a store that fails now has its say in the reports, which are still to be printed
        for key in keys:
            if (proof := proof_of(database, key)) is not None:
                found[key] = proof
    return found


def proof_document(proof: Proof | None) -> dict[str, Any] | None:
    """A proof as plain values."""
    if proof is None:
        return None
    comparison = proof.comparison
    return {
        "unbroken": proof.unbroken,
        "trades": sum(chain.trades for chain in proof.chains),
        "chains": [_chain_document(chain) for chain in proof.chains],
        "comparison": {**comparison._asdict(), "first_difference": _difference_document(comparison.first_difference)},
    }


def list_proofs(invocation: Invocation, wanted: Wanted) -> None:
    """Print the proof of each series that was made of downloaded trades."""
    with open_store(invocation) as database:
        proofs = proofs_of(database, [info.key for info in chosen_series(database, wanted)])
    documents = [{**key._asdict(), **(proof_document(proof) or {})} for key, proof in proofs.items()]
    invocation.output.document("algotrade.list_proof/1", {"series": documents})
    if not proofs:
        invocation.output.note("no stored candles are made of downloaded trades: algotrade fetch -h")
    if not invocation.output.json:
        for key, proof in proofs.items():
            _show_proof(invocation, key, proof, wanted.most)


def _show_proof(invocation: Invocation, key: SeriesKey, proof: Proof, most: int) -> None:
    from rich.text import Text

    from algotrade.show.format import plain
    from algotrade.show.tables import heading

    lines = proof.sentences()
    more = [f"{len(lines) - most:,} more; --most shows more"] if len(lines) > most else []
    invocation.output.show(heading(plain(" ".join(key))), *map(Text, (*lines[:most], *more)))


def _chain_document(chain: ProvenChain) -> dict[str, Any]:
    from algotrade.market.candles import iso

    times = {
        "start": iso(chain.start_ms),
        "last": iso(chain.last_ms),
        "broken_after": None if chain.broken_at is None else iso(chain.broken_at),
    }
    values = chain._asdict()
    return {**times, **{name: values[name] for name in ("trades", "kept", "pages", "first_cursor", "last_cursor")}}


def _difference_document(difference: Difference | None) -> dict[str, Any] | None:
    from algotrade.market.candles import iso

    return None if difference is None else {**difference._asdict(), "time": iso(difference.time)}
