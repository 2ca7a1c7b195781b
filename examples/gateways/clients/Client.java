// Sends requests with a body by Java's HttpClient and counts what comes back: METHOD URL TYPE AUTHORIZATION SIZE COUNT.

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

class Client {
    static final int WORKERS = 4;

    static String send(HttpClient client, HttpRequest request) throws InterruptedException {
        try {
            return Integer.toString(client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode());
        } catch (IOException error) {
            return error.toString();
        }
    }

    public static void main(String[] args) throws Exception {
        var body = "x".repeat(Integer.parseInt(args[4])).getBytes();
        var builder = HttpRequest.newBuilder(URI.create(args[1]))
                .timeout(Duration.ofMinutes(1))
                .header("Content-Type", args[2])
                .method(args[0], HttpRequest.BodyPublishers.ofByteArray(body));
        if (!args[3].isEmpty()) {
            builder.header("Authorization", args[3]);
        }
        var request = builder.build();
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var seen = new TreeMap<String, Integer>();
        var pool = Executors.newFixedThreadPool(WORKERS);
        for (int number = 0; number < Integer.parseInt(args[5]); number++) {
            pool.submit(() -> {
                var answer = send(client, request);
                synchronized (seen) {
                    seen.merge(answer, 1, Integer::sum);
                }
                return null;
            });
        }
        pool.shutdown();
        if (!pool.awaitTermination(1, TimeUnit.HOURS)) {
            throw new IllegalStateException("not done within an hour");
        }
        System.out.println(seen.entrySet().stream().map(Client::json).collect(Collectors.joining(",", "{", "}")));
        System.exit(0);
    }

    static String json(Map.Entry<String, Integer> entry) {
        var text = entry.getKey().replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
        return "\"" + text + "\":" + entry.getValue();
    }
}
