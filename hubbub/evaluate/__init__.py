"""Measuring against truth: ``stories`` against labels, ``spikes`` against known surges."""
