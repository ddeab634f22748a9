package hubbub;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.net.URI;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the job wants to know of a signal; the rest of the record is skipped. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Signal(
        String id,
        String kind,
        String platform,
        String thread,
        String url,
        Community community,
        Counts counts,
        @JsonProperty("created_ms") long createdMs,
        @JsonProperty("observed_ms") long observedMs) {

    private static final Set<String> WATCHED_SITES =
            IntStream.range(0, 12).mapToObj(number -> "site" + number + ".example.org").collect(Collectors.toSet());

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Community(String name, long members) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Counts(long likes, long replies, long shares) {}

    /** Whether this is a post that links to a watched site. */
    boolean isRelevantRoot() {
        return id.equals(thread) && WATCHED_SITES.contains(URI.create(url).getHost());
    }

    long interactions() {
        return counts.likes() + 2 * counts.replies() + 3 * counts.shares();
    }
}
