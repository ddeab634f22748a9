"""Measuring against truth.

``stories`` against labels, ``pairs`` against pairs labelled by reading, ``answers`` against files of right answers, and
``spikes`` against known surges.
"""
