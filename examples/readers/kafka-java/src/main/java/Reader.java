import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.CloudEventDeserializer;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints what happens to users, read from Kafka itself: a CloudEvent per line, from the first one on.
 *
 * <pre>java -cp … Reader 127.0.0.1:9092 muster.user-events cursor.json</pre>
 *
 * The last argument is a file with the next offset of each partition. Killed at any moment, the program goes on there: it
 * loses no event, and may print the last few again (equal ids show it). Where that hurts, keep the cursor in the transaction
 * of the effect.
 */
public final class Reader {
    /** An owner of a partition writes it for itself when it takes the partition over. It is about no user. */
    private static final String CLAIM = "muster.log.claimed";

    private static final ObjectMapper JSON = new ObjectMapper();

    private static Map<Integer, Long> load(Path path) throws IOException {
        return Files.exists(path) ? JSON.readValue(path.toFile(), new TypeReference<>() {}) : new TreeMap<>();
    }

    /** Replaces the file as a whole: a crash leaves the old cursor or the new one, never half of one. */
    private static void save(Path path, Map<Integer, Long> offsets) throws IOException {
        Path next = path.resolveSibling(path.getFileName() + ".new");
        try (FileOutputStream file = new FileOutputStream(next.toFile())) {
            file.write(JSON.writeValueAsBytes(offsets));
            file.getFD().sync();
        }
        Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
    }

    public static void main(String[] arguments) throws IOException {
        String topic = arguments[1];
        Path cursor = Path.of(arguments[2]);
        Map<Integer, Long> offsets = load(cursor);
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", arguments[0],
                // Partitions are assigned by hand, so there is no group to commit to.
                "enable.auto.commit", false,
                // The default reads aborted transactions too, which have never happened.
                "isolation.level", "read_committed",
                // Events are kept permanently, so an offset that isn't there is that of another log. By default it would
                // go to the end and lose events.
                "auto.offset.reset", "none",
                "key.deserializer", StringDeserializer.class,
                "value.deserializer", CloudEventDeserializer.class);
        BufferedOutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
        JsonFormat format = new JsonFormat();
        try (KafkaConsumer<String, CloudEvent> consumer = new KafkaConsumer<>(settings)) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            partitions.forEach(one -> consumer.seek(one, offsets.getOrDefault(one.partition(), 0L)));
            while (true) {
                ConsumerRecords<String, CloudEvent> records = consumer.poll(Duration.ofSeconds(1));
                for (ConsumerRecord<String, CloudEvent> record : records) {
                    if (!record.value().getType().equals(CLAIM)) {
                        out.write(format.serialize(record.value()));
                        out.write('\n');
                    }
                    // Never the number of records read so far: control records and aborted transactions leave gaps.
                    offsets.put(record.partition(), record.offset() + 1);
                }
                if (!records.isEmpty()) {
                    // In this order: what the cursor has passed was handled.
                    out.flush();
                    save(cursor, offsets);
                }
            }
        }
    }
}
