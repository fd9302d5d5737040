"""Trading as it happens: the feed, the trader that owns all state, the journal, and replaying it."""
