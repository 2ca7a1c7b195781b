import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A receiver of Muster's webhooks, with the official library. */
public class Receiver {
    private static final Pattern EVENT = Pattern.compile("\"type\":\"([^\"]*)\".*?\"sequence\":\"0*(\\d+)\"");

    public static void main(String[] arguments) throws Exception {
        Webhook webhook = new Webhook(System.getenv("WEBHOOK_SECRET"));
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            int status = 204;
            try {
                webhook.verify(body, exchange.getRequestHeaders());
            } catch (WebhookVerificationException forged) {
                status = 401;
            }
            // The answer first; the work itself comes afterwards.
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
            Matcher event = EVENT.matcher(body);
            if (status == 204 && event.find()) {
                System.out.println("verified " + event.group(1) + " " + event.group(2));
            }
        });
        server.start();
    }
}
