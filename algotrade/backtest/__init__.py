"""Running a strategy over candles: a compiled loop for signals, and the event loop through the engine as reference."""
