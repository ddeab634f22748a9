"""Six of the seven factors, one per file: pure functions of a few numbers, each 0 to 100. Impact is assessed."""
