"""Hacker News: new items, updates and the front page, through its Firebase REST interface. No account."""
