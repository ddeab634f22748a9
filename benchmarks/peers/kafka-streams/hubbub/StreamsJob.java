package hubbub;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The job on Kafka Streams, with its default stores (RocksDB, with changelogs) and settings, on two threads. */
public final class StreamsJob {
    private static final ObjectMapper JSON = new ObjectMapper();
    private StreamsJob() {}

    /** Sends what is relevant to its story. */
    private static final class Route extends ContextualProcessor<String, Signal, String, Signal> {
        private KeyValueStore<String, String> storyOfThread;

        @Override
        public void init(ProcessorContext<String, Signal> context) {
            super.init(context);
            storyOfThread = context.getStateStore("threads");
        }

        @Override
        public void process(Record<String, Signal> record) {
            Signal signal = record.value();
            String story = storyOfThread.get(signal.thread());
            if (story == null && signal.isRelevantRoot()) {
                story = signal.url();
                storyOfThread.put(signal.thread(), story);
            }
            if (story != null) {
                context().forward(record.withKey(story));
            }
        }
    }

    /** Adds each signal to its story and tells the score. */
    private static final class Tally extends ContextualProcessor<String, Signal, String, Story.Score> {
        private KeyValueStore<String, Story> stories;
        private KeyValueStore<String, Item> items;

        @Override
        public void init(ProcessorContext<String, Story.Score> context) {
            super.init(context);
            stories = context.getStateStore("stories");
            items = context.getStateStore("items");
        }

        @Override
        public void process(Record<String, Signal> record) {
            Story story = stories.get(record.key());
            if (story == null) {
                story = new Story();
            }
            Item item = story.take(record.value(), items.get(record.value().id()));
            if (item != null) {
                items.put(record.value().id(), item);
                stories.put(record.key(), story);
                context().forward(record.withValue(story.score(record.key())));
            }
        }
    }

    public static void main(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("BENCH_GROUP"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BENCH_SERVERS"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("BENCH_STATE"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        Serde<Signal> signals = json(Signal.class);
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("threads"), Serdes.String(), Serdes.String()));
        builder.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("items"), Serdes.String(), json(Item.class)));
        builder.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("stories"), Serdes.String(), json(Story.class)));
        builder.stream(System.getenv("BENCH_SIGNALS"), Consumed.with(Serdes.String(), signals))
                .process(Route::new, "threads")
                .repartition(Repartitioned.with(Serdes.String(), signals).withName("activity"))
                .process(Tally::new, "stories", "items")
                .to(System.getenv("BENCH_OUTPUT"), Produced.with(Serdes.String(), json(Story.Score.class)));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static <T> Serde<T> json(Class<T> type) {
        return Serdes.serdeFrom(
                (topic, value) -> {
                    try {
                        return value == null ? null : JSON.writeValueAsBytes(value);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                },
                (topic, bytes) -> {
                    try {
                        return bytes == null ? null : JSON.readValue(bytes, type);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                });
    }
}
