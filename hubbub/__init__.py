"""The front door: command line, settings, the one-machine run, and what an operator asks of the system."""
