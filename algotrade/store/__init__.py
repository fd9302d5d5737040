"""What is kept: candles, instruments, runs and check verdicts in one database, each live session in its own journal."""
