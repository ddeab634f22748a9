"""Platforms: one folder each, with its options, client, conversion, collector and spec."""
