"""The command line: parse, call, show. No arithmetic; one file per command."""
