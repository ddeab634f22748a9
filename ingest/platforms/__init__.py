"""The platforms: one folder each, which exports its ``SPEC``. One platform never imports another."""
