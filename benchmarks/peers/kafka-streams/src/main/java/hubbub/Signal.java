package hubbub;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

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

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Community(String name, long members) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Counts(long likes, long replies, long shares) {}

    boolean isRoot() {
        return id.equals(thread);
    }

    long interactions() {
        return counts.likes() + 2 * counts.replies() + 3 * counts.shares();
    }
}
