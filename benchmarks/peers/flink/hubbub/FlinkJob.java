package hubbub;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.producer.ProducerRecord;

/** The job on Flink, in one JVM with a local cluster: state on the heap, a checkpoint every ten seconds, two slots. */
public final class FlinkJob {
    private static final ObjectMapper JSON = new ObjectMapper();

    private FlinkJob() {}

    private static final class Read extends AbstractDeserializationSchema<Signal> {
        @Override
        public Signal deserialize(byte[] value) throws IOException {
            return JSON.readValue(value, Signal.class);
        }
    }

    /** Writes a score under its story, so that a story's scores stay in order. */
    private static final class Write implements KafkaRecordSerializationSchema<Story.Score> {
        private final String topic = System.getenv("BENCH_OUTPUT");

        @Override
        public ProducerRecord<byte[], byte[]> serialize(Story.Score score, KafkaSinkContext context, Long timestamp) {
            try {
                return new ProducerRecord<>(
                        topic, score.story().getBytes(StandardCharsets.UTF_8), JSON.writeValueAsBytes(score));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    /** Names the story of what is relevant. */
    private static final class Route extends KeyedProcessFunction<String, Signal, Tuple2<String, Signal>> {
        private transient ValueState<String> storyOfThread;

        @Override
        public void open(OpenContext context) {
            storyOfThread = getRuntimeContext().getState(new ValueStateDescriptor<>("thread", String.class));
        }

        @Override
        public void processElement(Signal signal, Context context, Collector<Tuple2<String, Signal>> out)
                throws IOException {
            String story = storyOfThread.value();
            if (story == null && signal.isRelevantRoot()) {
                story = signal.url();
                storyOfThread.update(story);
            }
            if (story != null) {
                out.collect(Tuple2.of(story, signal));
            }
        }
    }

    /** Adds each signal to its story and tells the score. */
    private static final class Tally extends KeyedProcessFunction<String, Tuple2<String, Signal>, Story.Score> {
        private transient ValueState<Story> stories;
        private transient MapState<String, Item> items;

        @Override
        public void open(OpenContext context) {
            stories = getRuntimeContext().getState(new ValueStateDescriptor<>("story", Story.class));
            items = getRuntimeContext().getMapState(new MapStateDescriptor<>("items", String.class, Item.class));
        }

        @Override
        public void processElement(Tuple2<String, Signal> routed, Context context, Collector<Story.Score> out)
                throws Exception {
            Story story = stories.value();
            if (story == null) {
                story = new Story();
            }
            Item item = story.take(routed.f1, items.get(routed.f1.id()));
            if (item != null) {
                items.put(routed.f1.id(), item);
                stories.update(story);
                out.collect(story.score(routed.f0));
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String servers = System.getenv("BENCH_SERVERS");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(2);
        environment.enableCheckpointing(10_000);
        KafkaSource<Signal> source = KafkaSource.<Signal>builder()
                .setBootstrapServers(servers)
                .setTopics(System.getenv("BENCH_SIGNALS"))
                .setGroupId(System.getenv("BENCH_GROUP"))
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setValueOnlyDeserializer(new Read())
                .build();
        KafkaSink<Story.Score> sink = KafkaSink.<Story.Score>builder()
                .setBootstrapServers(servers)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .setRecordSerializer(new Write())
                .build();
        environment
                .fromSource(source, WatermarkStrategy.noWatermarks(), "signals")
                .keyBy(Signal::thread)
                .process(new Route())
                .keyBy(routed -> routed.f0)
                .process(new Tally())
                .sinkTo(sink);
        environment.execute("noise");
    }
}
