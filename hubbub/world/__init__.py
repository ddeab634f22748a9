"""A simulated world that knows its own truth, and servers that speak the platforms' protocols for it."""
