"""Hacker News, simulated: the Firebase API and the Algolia item API."""
