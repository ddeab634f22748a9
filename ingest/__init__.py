"""Collectors: a platform's activity, turned into signals and published to the topic ``signals``.

This package imports nothing else of Hubbub's. Other packages may use only :mod:`ingest.signal`,
the record they consume: the producer owns the contract.
"""
