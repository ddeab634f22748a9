"""Whether two posts are in one story, measured against pairs labelled by reading."""
