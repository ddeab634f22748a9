"""VADER: the sentiment of an English text, by a lexicon and rules. Stands alone; the data files are its authors'."""

from scoring.vader.arithmetic import HAS, NORMALIZER, SPARE_BITS, Vader, without_emojis, word_code

__all__ = ["HAS", "NORMALIZER", "SPARE_BITS", "Vader", "without_emojis", "word_code"]
