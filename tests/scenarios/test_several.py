"""Several symbols, and several strategies, with shared or separate cash, in tables."""

from __future__ import annotations

from tests.scenarios.story import Story, story
from tests.scenarios.tellers import Teller, every_way, told_alike

STORIES = [
    story(
        "sells come before buys, whatever the order of the symbols",
        """
        day   | open high low close | asks
        1 ETH | 50   50   50  50    |
        1 BTC | 100  100  100 100   | target 1
        2 ETH | 50   50   50  50    | target 1
        2 BTC | 100  100  100 100   | target 0
        3 ETH | 50   50   50  50    |
        3 BTC | 110  110  110 110   |
        --
        2     | BTC buy 10 @ 100
        3     | BTC sell 10 @ 110
        3     | ETH buy 22 @ 50
        end   | cash 0 ETH 22
        """,
    ),
    story(
        "what is invested elsewhere buys nothing",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 1
        1 ETH | 50   50   50  50    |
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    | target 1
        3 BTC | 100  100  100 100   |
        3 ETH | 50   50   50  50    |
        --
        2     | BTC buy 10 @ 100
        3     | refused nothing_to_trade
        end   | cash 0 BTC 10
        """,
    ),
    story(
        "half and half of the equity of both",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 0.5
        1 ETH | 50   50   50  50    | target 0.5
        2 BTC | 100  120  100 120   |
        2 ETH | 50   50   40  40    |
        --
        2     | BTC buy 5 @ 100
        2     | ETH buy 10 @ 50
        end   | cash 0 BTC 5 ETH 10 equity 1000
        """,
    ),
    story(
        "the fee of the first leaves less for the second",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 0.5
        1 ETH | 50   50   50  50    | target 0.5
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    |
        --
        2     | BTC buy 4 @ 100 fee 100
        2     | ETH buy 7.2 @ 50 fee 90
        end   | cash 50 BTC 4 ETH 7.2
        """,
        fee_rate=0.25,
    ),
    story(
        "all opens of a moment are known before anything is bought, and cash is the bound",
        """
        day   | open high low close | asks
        1 ETH | 50   50   50  50    |
        1 BTC | 100  100  100 100   | target 0.5
        2 ETH | 50   50   50  50    | target 0.4
        2 BTC | 100  100  100 100   |
        3 ETH | 50   50   50  50    |
        3 BTC | 200  200  200 200   |
        --
        2     | BTC buy 5 @ 100
        3     | ETH buy 10 @ 50
        end   | cash 0 BTC 5 ETH 10
        """,
    ),
    story(
        "an order waits until its own symbol opens",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | buy 1
        1 ETH | 50   50   50  50    | buy 2
        2 BTC | 100  100  100 100   |
        3 BTC | 100  100  100 100   |
        3 ETH | 60   60   60  60    |
        --
        2     | BTC buy 1 @ 100
        3     | ETH buy 2 @ 60
        end   | cash 780 BTC 1 ETH 2
        """,
    ),
    story(
        "a symbol that begins later, and one that ends earlier and keeps its last price",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 0.5
        2 BTC | 100  100  80  80    |
        3 ETH | 50   50   50  50    | target 0.5
        4 ETH | 50   50   50  50    |
        5 ETH | 60   60   60  60    |
        --
        2     | BTC buy 5 @ 100
        4     | ETH buy 9 @ 50
        end   | cash 50 BTC 5 ETH 9 equity 990
        """,
    ),
    story(
        "fixed orders share the money too",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | buy 6
        1 ETH | 50   50   50  50    | buy 9; buy 8
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    |
        --
        2     | BTC buy 6 @ 100
        2     | refused insufficient_funds
        2     | ETH buy 8 @ 50
        end   | cash 0 BTC 6 ETH 8
        """,
    ),
    story(
        "what protects one symbol does not care for the other",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 0.5 stop_loss 0.1
        1 ETH | 50   50   50  50    | target 0.5 stop_loss 0.1
        2 BTC | 100  100  95  95    |
        2 ETH | 50   50   40  40    |
        3 BTC | 95   95   80  80    |
        3 ETH | 40   40   40  40    |
        --
        2     | BTC buy 5 @ 100
        2     | ETH buy 10 @ 50
        2     | ETH sell 10 @ 45 stop_loss
        3     | BTC sell 5 @ 90 stop_loss
        end   | cash 900
        """,
    ),
    story(
        "a limit of one symbol is not filled by the prices of another",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | buy 1 limit 90
        1 ETH | 50   50   50  50    |
        2 BTC | 100  100  95  95    |
        2 ETH | 50   50   40  40    |
        --
        end   | cash 1000
        """,
    ),
    story(
        "each position has a margin of its own",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 1
        1 ETH | 50   50   50  50    | target 1
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    |
        3 BTC | 100  100  100 100   |
        3 ETH | 50   50   25  30    |
        --
        2     | BTC buy 10 @ 100
        2     | ETH buy 20 @ 50
        3     | ETH sell 20 @ 25 liquidation
        end   | cash -500 BTC 10 equity 500
        """,
        leverage=2,
    ),
    story(
        "both ways through a bar are told by the value of the whole account",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | buy 5
        1 ETH | 50   50   50  50    | buy 2 stop_loss 0.1 take_profit 0.1
        2 BTC | 100  200  100 200   |
        2 ETH | 50   60   40  50    |
        -- worst
        2     | BTC buy 5 @ 100
        2     | ETH buy 2 @ 50
        2     | ETH sell 2 @ 45 stop_loss
        2     | cancelled take_profit other_filled
        2     | ETH ambiguous 1490 1510
        end   | cash 490 BTC 5 equity 1490
        -- best
        2     | BTC buy 5 @ 100
        2     | ETH buy 2 @ 50
        2     | ETH sell 2 @ 55 maker take_profit
        2     | cancelled stop_loss other_filled
        2     | ETH ambiguous 1490 1510
        end   | cash 510 BTC 5 equity 1510
        """,
    ),
    story(
        "volume is counted by symbol",
        """
        day   | open high low close volume | asks
        1 BTC | 100  100  100 100   20     | buy 3
        1 ETH | 50   50   50  50    40     | buy 3
        2 BTC | 100  100  100 100   20     |
        2 ETH | 50   50   50  50    20     |
        --
        2     | BTC buy 2 @ 100 left 1
        2     | ETH buy 3 @ 50
        end   | cash 650 BTC 2 ETH 3
        """,
        max_volume_share=0.1,
    ),
    story(
        "two strategies in one market, each with its own book",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | calm: buy 2; wild: sell 3
        2   | 100  110  100 110   | calm: sell 2; wild: buy 1
        3   | 110  110  110 110   |
        --
        2   | calm: buy 2 @ 100
        2   | wild: sell 3 @ 100
        3   | calm: sell 2 @ 110
        3   | wild: buy 1 @ 110
        end | calm: cash 520
        end | wild: cash 690 position -2
        """,
        cash={"calm": 500, "wild": 500},
        allow_short=True,
    ),
    story(
        "a book's target is of its own equity",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | calm: target 0.5; wild: target 1
        2   | 100  100  100 100   |
        --
        2   | calm: buy 3 @ 100
        2   | wild: buy 4 @ 100
        end | calm: cash 300 position 3
        end | wild: cash 0 position 4
        """,
        cash={"calm": 600, "wild": 400},
    ),
    story(
        "one book's stop leaves the other's position alone",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | calm: buy 2 stop_loss 0.1; wild: buy 2 stop_loss 0.05
        2   | 100  100  94  95    |
        --
        2   | calm: buy 2 @ 100
        2   | wild: buy 2 @ 100
        2   | wild: sell 2 @ 95 stop_loss
        end | calm: cash 300 position 2
        end | wild: cash 490
        """,
        cash={"calm": 500, "wild": 500},
    ),
    story(
        "one book that is ruined leaves the other to trade on",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | wild: target 2
        2   | 100  100  100 100   |
        3   | 100  101  50  50    | wild: target 1; calm: target 1
        4   | 50   50   50  50    |
        --
        2   | wild: buy 10 @ 100
        3   | wild: sell 10 @ 50 liquidation
        4   | calm: buy 10 @ 50
        4   | refused no_equity_left
        end | calm: cash 0 position 10
        end | wild: cash 0
        """,
        cash={"calm": 500, "wild": 500},
        leverage=2,
    ),
    story(
        "two books are liquidated where each of them must be, and a stop between is passed first",
        """
        day | open high low close | asks
        1   | 100  100  100 100   | calm: target 2
        2   | 100  100  90  90    | wild: target 2 stop_loss_price 48
        3   | 90   90   90  90    |
        4   | 90   90   40  40    |
        --
        2   | calm: buy 10 @ 100
        3   | wild: buy 11.11111111111111 @ 90
        4   | calm: sell 10 @ 50 liquidation
        4   | wild: sell 11.11111111111111 @ 48 stop_loss
        end | calm: cash 0
        end | wild: cash 33.33333333333333
        """,
        cash={"calm": 500, "wild": 500},
        leverage=2,
    ),
    story(
        "the later book is liquidated first where its level comes first",
        """
        day | open high low close | asks
        1   | 80   80   80  80    | calm: target 2 stop_loss_price 42
        2   | 80   80   80  100   | wild: target 2 stop_loss_price 45
        3   | 100  100  100 100   |
        4   | 100  100  30  30    |
        --
        2   | calm: buy 12.5 @ 80
        3   | wild: buy 10 @ 100
        4   | wild: sell 10 @ 50 liquidation
        4   | cancelled stop_loss position_closed
        4   | calm: sell 12.5 @ 42 stop_loss
        end | calm: cash 25
        end | wild: cash 0
        """,
        cash={"calm": 500, "wild": 500},
        leverage=2,
    ),
    story(
        "cash pays the fee too",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 0.5
        1 ETH | 50   50   50  50    | target 0.9
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    |
        --
        2     | BTC buy 4 @ 100 fee 100
        2     | ETH buy 8 @ 50 fee 100
        end   | cash 0 BTC 4 ETH 8
        """,
        fee_rate=0.25,
    ),
    story(
        "a short in one symbol uses up what another could have",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | sell 5
        1 ETH | 50   50   50  50    | buy 11; buy 10
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    |
        --
        2     | BTC sell 5 @ 100
        2     | refused insufficient_funds
        2     | ETH buy 10 @ 50
        end   | cash 1000 BTC -5 ETH 10
        """,
        allow_short=True,
    ),
    story(
        "all targets together are worth no more than the leverage",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 2
        1 ETH | 50   50   50  50    | target 1.5
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    |
        --
        2     | BTC buy 16 @ 100 fee 400
        2     | refused nothing_to_trade
        end   | cash -1000 BTC 16 equity 600
        """,
        fee_rate=0.25,
        leverage=2,
    ),
    story(
        "what a position leaves of the leverage is there for another, long or short",
        """
        day   | open high low close | asks
        1 BTC | 100  100  100 100   | target 1.5
        1 ETH | 50   50   50  50    | target -1
        2 BTC | 100  100  100 100   |
        2 ETH | 50   50   50  50    | target 1
        3 BTC | 100  100  100 100   |
        3 ETH | 50   50   50  50    | target 0
        4 BTC | 100  100  100 100   |
        4 ETH | 50   50   50  50    |
        --
        2     | BTC buy 15 @ 100
        2     | ETH sell 10 @ 50
        3     | ETH buy 20 @ 50
        4     | ETH sell 10 @ 50
        end   | cash -500 BTC 15 equity 1000
        """,
        leverage=2,
        allow_short=True,
    ),
]


@every_way(STORIES)
def test_several(tale: Story, path: str, teller: Teller) -> None:
    told_alike(tale, path, teller)
