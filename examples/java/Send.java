// Sends one event and a batch to Estat with Java's own HttpClient (17 or later), and says what was acknowledged.
//
//   ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… java Send.java

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

public final class Send {
    private static final int ATTEMPTS = 8;
    private static final Set<Integer> NOT_NOW = Set.of(408, 429, 500, 502, 503, 504);

    /** The server will not take it, however often it is sent. */
    static final class Refused extends IOException {
        final int status;

        Refused(int status, String detail) {
            super(status + ": " + detail);
            this.status = status;
        }
    }

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(10)).build();
    private final String url;
    private final String key;

    Send(String url, String key) {
        this.url = url.replaceAll("/$", "");
        this.key = key;
    }

    /** Sends one event, a line of JSON. */
    void send(String event) throws IOException, InterruptedException {
        HttpResponse<String> answer = post("/collect", "application/json", event);
        System.out.printf("one event: %s, in %s%n", header(answer, "X-Estat-Ack"), header(answer, "X-Estat-Key"));
    }

    /** Sends many; in halves, if the whole is too large. */
    void sendBatch(List<String> events) throws IOException, InterruptedException {
        try {
            HttpResponse<String> answer = post("/collect/batch", "application/x-ndjson", String.join("\n", events) + "\n");
            System.out.printf("batch: %s, in %s; %s%n", header(answer, "X-Estat-Ack"), header(answer, "X-Estat-Key"), answer.body());
        } catch (Refused refused) {
            if (refused.status != 413 || events.size() < 2) {
                throw refused;
            }
            int half = events.size() / 2;
            sendBatch(events.subList(0, half));
            sendBatch(events.subList(half, events.size()));
        }
    }

    private HttpResponse<String> post(String path, String mediaType, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path)).timeout(Duration.ofSeconds(30))
            .header("Content-Type", mediaType)
            // The same for each attempt: what is stored twice, because an answer was lost, can be found by it.
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(HttpRequest.BodyPublishers.ofString(body));
        if (key != null) {
            request.header("X-Api-Key", key);
        }
        String reason = "";
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            double asked = 0;
            try {
                HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                boolean ok = answer.statusCode() / 100 == 2;
                if (ok && !header(answer, "X-Estat-Ack").isEmpty()) { // without it the answer is not Estat's: a portal or a proxy says 200 as well
                    return answer;
                }
                if (!ok && !NOT_NOW.contains(answer.statusCode())) {
                    throw new Refused(answer.statusCode(), answer.body());
                }
                reason = ok ? "no X-Estat-Ack" : Integer.toString(answer.statusCode());
                String retryAfter = header(answer, "Retry-After");
                asked = retryAfter.matches("\\d+") ? Double.parseDouble(retryAfter) : 0;
            } catch (Refused refused) {
                throw refused;
            } catch (IOException error) {
                reason = error.toString(); // no answer: nobody knows, so it is sent again
            }
            if (attempt + 1 < ATTEMPTS) {
                double pause = Math.max(0.25 * (1 << attempt), asked) * (1 + ThreadLocalRandom.current().nextDouble() / 2); // so that not all come at once
                System.err.printf("%s: %s, again in %.1f s%n", path, reason, pause);
                Thread.sleep((long) (pause * 1000));
            }
        }
        throw new IOException(path + ": given up after " + ATTEMPTS + " attempts; last: " + reason);
    }

    private static String header(HttpResponse<?> answer, String name) {
        return answer.headers().firstValue(name).orElse("");
    }

    public static void main(String[] args) throws InterruptedException {
        String url = System.getenv().getOrDefault("ESTAT_URL", "http://127.0.0.1:8080");
        Send estat = new Send(url, System.getenv("ESTAT_KEY"));
        try {
            estat.send("{\"page\":\"/home\",\"from\":\"java\"}");
            estat.sendBatch(List.of("{\"page\":\"/a\",\"from\":\"java\"}", "{\"page\":\"/b\",\"from\":\"java\"}", "{\"page\":\"/c\",\"from\":\"java\"}"));
        } catch (IOException error) {
            System.err.println("not taken: " + error.getMessage());
            System.exit(1);
        }
    }
}
