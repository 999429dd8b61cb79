"""Measurements on demand, each a module that prints a table: `python -m tests.benchmarks.figures`."""
