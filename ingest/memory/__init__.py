"""What a collector remembers: recent items, seen items, tracked items, poll schedule, rate limit."""
