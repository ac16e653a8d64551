"""Benchmarks: each module writes a CSV file to results/ and the tables that are made from it."""
