"""Stream processors and the server: signals become stories, stories get scores, and scores reach people."""
