"""How soon spikes are found: the score stage's detector and simpler ones, held against a truth, offline."""
