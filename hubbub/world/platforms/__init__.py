"""The simulated platforms: one folder each, which exports its ``SIMULATOR``."""
