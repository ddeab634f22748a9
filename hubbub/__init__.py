"""The front door: command line, settings, the one-machine run, and what an operator asks of the system."""

import os

# The matcher's products are small. Threads of a numerical library gain nothing there, and on a busy machine they wait
# for each other: set before anything imports numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
