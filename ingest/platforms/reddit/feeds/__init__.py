"""Reddit's public feeds: the way to its posts and comments without a key."""
