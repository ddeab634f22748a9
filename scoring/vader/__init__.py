"""VADER: the sentiment of an English text, by a lexicon and rules. Stands alone; the data files are its authors'."""

from scoring.vader.arithmetic import HAS, SPARE_BITS, compound, word_code

__all__ = ["HAS", "SPARE_BITS", "compound", "word_code"]
