"""What a collector remembers, each part bounded: seen ids, tracked items, poll schedule, rate limit."""
