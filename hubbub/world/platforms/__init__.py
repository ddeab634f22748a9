"""The simulated platforms: one folder each, which speaks that platform's protocol."""
