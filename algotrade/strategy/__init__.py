"""What a person writes: strategies, their parameters and indicators, and the checks that keep them honest."""
