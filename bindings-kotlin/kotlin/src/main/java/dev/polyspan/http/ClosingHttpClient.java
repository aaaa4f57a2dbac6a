package dev.polyspan.http;

import java.lang.reflect.InvocationTargetException;
import java.net.http.HttpClient;
import java.time.Duration;

/**
 * A client around another one, which is closed with it. A client can be closed since JDK 21, and one that does not say how
 * does nothing then: the other one's thread would stay. In Java, which compiles for 17 whatever JDK does it: there these
 * methods override nothing yet. Called by {@code TracedHttpClient}.
 */
abstract class ClosingHttpClient extends HttpClient {
    private final HttpClient around;

    ClosingHttpClient(HttpClient around) {
        this.around = around;
    }

    public void shutdown() {
        call("shutdown");
    }

    public void shutdownNow() {
        call("shutdownNow");
    }

    public void close() {
        call("close");
    }

    public boolean isTerminated() {
        return (boolean) call("isTerminated");
    }

    public boolean awaitTermination(Duration duration) throws InterruptedException {
        try {
            return (boolean) HttpClient.class.getMethod("awaitTermination", Duration.class).invoke(around, duration);
        } catch (InvocationTargetException error) {
            if (error.getCause() instanceof InterruptedException) throw (InterruptedException) error.getCause();
            throw unexpected(error);
        } catch (ReflectiveOperationException error) {
            throw unexpected(error);
        }
    }

    private Object call(String method) {
        try {
            return HttpClient.class.getMethod(method).invoke(around);
        } catch (ReflectiveOperationException error) {
            throw unexpected(error);
        }
    }

    /** What the other client threw; or nobody called these as methods of a client, since there are none before JDK 21. */
    private static RuntimeException unexpected(ReflectiveOperationException error) {
        Throwable cause = error.getCause();
        if (cause instanceof RuntimeException) return (RuntimeException) cause;
        if (cause instanceof Error) throw (Error) cause;
        return new UnsupportedOperationException(error);
    }
}
