"""Collectors: a platform's activity, turned into signals and published to the topic ``signals``.

Of Hubbub's other packages this one imports ``transport`` alone. ``streams`` may use only :mod:`ingest.signal`, the
record that it consumes: the producer owns the contract.
"""
