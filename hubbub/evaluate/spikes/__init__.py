"""How soon spike detectors find the surges of stories, what they miss, and how often they are wrong."""
