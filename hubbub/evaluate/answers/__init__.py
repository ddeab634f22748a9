"""What is read from a headline or a link, measured against files of right answers."""
