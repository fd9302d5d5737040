"""An exchange's public trades, one after the other without a break, made into candles; and what proves it."""
