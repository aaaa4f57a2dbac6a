package dev.polyspan.internal;

import dev.polyspan.Parent;
import dev.polyspan.SpanOptions;

/** The options of which a span has any number, in Java for the reason that {@link Tagging} is. */
public interface Listing {
    /** Tags of the trace; only its first span in this process carries them. */
    default SpanOptions tags(String... tags) {
        SpanOptions options = (SpanOptions) this;
        options.setTags(Lists.of(tags));
        return options;
    }

    /** Spans of other traces, or of this one, that it has to do with. */
    default SpanOptions links(Parent... links) {
        SpanOptions options = (SpanOptions) this;
        options.setLinks(Lists.of(links));
        return options;
    }
}
