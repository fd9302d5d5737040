"""Any downloads of any spans, cut off anywhere, in pages of any size, end in the same bytes as one clean download."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algotrade.errors import CheckConnection
from algotrade.exchange.base import TradePage
from algotrade.ingest.trades.proof import proof_of
from algotrade.ingest.trades.recheck import recheck_trades
from algotrade.store.database import Database
from tests.shell.ingest.stored_trades import KEY, error_of, fetch, whatever_the_cuts
from tests.shell.ingest.traded_exchange import DAY, MIDNIGHT, Trade, TradedExchange, numbered, trade

DAYS = 3
fresh_exchange = (f"exchange{number}" for number in count()).__next__


class Session(NamedTuple):
    """One `fetch`: from which day on and up to which (None: not said), the exchange's time, where it is cut off."""

    start: int | None
    end: int | None
    now: int
    fails_at: int | None


def made_of(seconds: list[int], choices: list[int], *, with_ids: bool) -> list[Trade]:
    """Trades of few moments, prices and quantities, so that several are of one nanosecond and some are equal.

    One opens the first day: where the first answer begins days late, its first bar is left out.
    """
    trades = [
        trade(0),
        *(
            trade(second, 100.0 + choice % 2, (0.1, 0.2)[choice // 2 % 2])
            for second, choice in zip(sorted(seconds), choices, strict=False)
        ),
    ]
    return numbered(trades) if with_ids else list(dict.fromkeys(trades))


seconds = st.lists(st.integers(0, DAYS * 1440 - 1).map(lambda minute: minute // 7 * 7 * 60 + minute % 2), min_size=1)
sessions = st.lists(
    st.builds(
        Session,
        start=st.none() | st.integers(0, DAYS - 1),
        end=st.none() | st.integers(0, DAYS - 1),
        now=st.integers(1, DAYS * DAY),
        fails_at=st.none() | st.integers(0, 12),
    ),
    max_size=5,
)


def run(exchange: TradedExchange, database: Database, session: Session) -> None:
    asked = 0

    def fail(page: TradePage, cursor: str | None, since_ns: int | None) -> TradePage:
        nonlocal asked
        asked += 1
        if asked - 1 == session.fails_at:
            raise CheckConnection("cut off")
        return page

    exchange.distort = fail
    exchange.now = MIDNIGHT + session.now
    start, end = (None if day is None else MIDNIGHT + day * DAY for day in (session.start, session.end))
    report = fetch(exchange, database, start, end)
    if report.error is not None:
        message = error_of(report).message
        assert message == "cut off" or " is in the future: " in message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    moments=seconds,
    choices=st.lists(st.integers(0, 3), min_size=60, max_size=60),
    with_ids=st.booleans(),
    repeats=st.sampled_from([0, 1, "moment"]),
    pages=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    before=sessions,
)
def test_any_history_of_downloads_ends_in_the_same_bytes(
    database: Database,
    moments: list[int],
    choices: list[int],
    with_ids: bool,
    repeats: int | str,
    pages: list[int],
    before: list[Session],
) -> None:
    trades = made_of(moments, choices, with_ids=with_ids)
    last = Session(0, None, DAYS * DAY + 60_000, None)
    ends = []
    for history, sizes, repeated in ((before, pages, repeats), ([], [1000], 0)):
        exchange = TradedExchange(trades, 0, pages=sizes, repeats=repeated)
        exchange.name = fresh_exchange()
        key = KEY._replace(exchange=exchange.name)
        for session in [*history, last]:
            run(exchange, database, session)
        proof = proof_of(database, key)
        assert proof is not None
        assert proof.unbroken
        assert [chain.trades for chain in proof.chains] == [len(trades)]
        assert recheck_trades(database, key).problems == ()
        ends.append(whatever_the_cuts(database, key))
    assert ends[0] == ends[1]
    assert len(ends[0]["trades"]) == len(trades)
    assert ends[0]["revisions"] == []
