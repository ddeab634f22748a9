package hubbub;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What is kept of a story, and its score: the Java twin of benchmarks/job.py. */
public class Story {
    private static final long BUCKET_MS = 300_000;
    private static final int BUCKETS = 12;
    private static final double DURATION_MS = 72 * 3_600_000.0;
    private static final Map<String, Double> LOUD =
            Map.of("reddit", 50_000.0, "hackernews", 3_000.0, "mastodon", 10_000.0, "lemmy", 3_000.0);
    private static final double OTHER_LOUD = 10_000.0;

    public long items;
    public Map<String, Long> interactions = new TreeMap<>();
    public TreeSet<String> posted = new TreeSet<>();
    public Map<String, Long> communities = new TreeMap<>();
    public long firstMs = Long.MAX_VALUE;
    public long lastMs;
    public TreeMap<Long, Long> buckets = new TreeMap<>();

    /** The record that is emitted. */
    public record Score(
            String story,
            long items,
            long interactions,
            int platforms,
            double raw,
            @JsonProperty("last_ms") long lastMs,
            Map<Long, Long> buckets) {}

    /** Adds one observation; returns what is to be kept of its item, or null if nothing is new. */
    public Item take(Signal signal, Item old) {
        if (old != null && signal.observedMs() <= old.observedMs()) {
            return null;
        }
        Item item = new Item(signal.observedMs(), signal.interactions());
        interactions.merge(signal.platform(), item.interactions() - (old == null ? 0 : old.interactions()), Long::sum);
        if (old == null) {
            cover(signal.createdMs());
            communities.put(signal.community().name(), signal.community().members());
            if (signal.kind().equals("post")) {
                posted.add(signal.platform());
            }
        }
        return item;
    }

    public Score score(String name) {
        long members = communities.values().stream().mapToLong(Long::longValue).sum();
        double loud = 0;
        long acts = 0;
        for (var entry : interactions.entrySet()) {
            loud += entry.getValue() / LOUD.getOrDefault(entry.getKey(), OTHER_LOUD);
            acts += entry.getValue();
        }
        double reach = 100 * Math.min(1, Math.log10(1 + 0.02 * members) / 8);
        double engagement = 100 * Math.min(1, Math.log10(1 + 1e4 * loud) / 4);
        double platforms = Math.min(100, 20 * posted.size());
        double duration = 100 * Math.min(1, (lastMs - firstMs) / DURATION_MS);
        double raw = 0.20 * reach + 0.20 * engagement + 0.15 * platforms + 0.10 * duration + 5 + 5;
        return new Score(name, items, acts, posted.size(), raw, lastMs, buckets);
    }

    private void cover(long createdMs) {
        items++;
        firstMs = Math.min(firstMs, createdMs);
        lastMs = Math.max(lastMs, createdMs);
        long oldest = lastMs / BUCKET_MS - BUCKETS + 1;
        long bucket = createdMs / BUCKET_MS;
        if (bucket >= oldest) {
            buckets.merge(bucket, 1L, Long::sum);
        }
        buckets.headMap(oldest).clear();
    }
}
