"""The seven factors, one a file: each a pure function of a few numbers, 0 to 100."""
