"""Results that anyone can check: write one with everything that made it, read one from anywhere, run it again."""
