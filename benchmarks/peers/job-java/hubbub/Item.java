package hubbub;

/** What is kept of an item: when it was last observed, and its interactions then. */
public record Item(long observedMs, long interactions) {}
