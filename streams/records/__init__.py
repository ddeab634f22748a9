"""What crosses topics: each record defined once, for its writer and its readers."""
