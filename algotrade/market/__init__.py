"""What a market is: candles, timeframes, instruments, and a simulated market to practise on."""
