"""The rules of trading as a fold over events: no clock, no I/O, no randomness."""
