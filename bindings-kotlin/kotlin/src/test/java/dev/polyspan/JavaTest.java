// The interface as Java has it.

package dev.polyspan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.polyspan.opentelemetry.PolyspanOpenTelemetry;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** What programs in Java write, and what they may do wrong: that is counted, and throws nothing. */
class JavaTest {
    private static Engine started(MemoryExporter memory) {
        Polyspan.setLogger(line -> {});
        Engine engine =
                Polyspan.init(
                        new InitOptions().set("service", "java").set("name", "java-" + System.nanoTime()).set("exporter", memory));
        Polyspan.setDefault(engine.getName());
        return engine;
    }

    @Test
    void spansAndContexts() {
        MemoryExporter memory = new MemoryExporter();
        Engine engine = started(memory);
        ContextOptions around = new ContextOptions();
        around.setSessionId("s-1");
        String answer =
                Polyspan.inContext(
                        around,
                        () -> Polyspan.call("answer", new SpanOptions().type(SpanType.Agent).input("q"), span -> {
                            span.set("int", 1).set("text", "a").output(List.of("x"));
                            Polyspan.run("inner", inner -> inner.tags("a"));
                            return "done";
                        }));
        try (Span span = Polyspan.start("manual", new SpanOptions().startTime(Instant.now()))) {
            span.event("e", Map.of("k", 1)).status(SpanStatus.ERROR, "why");
        }
        engine.flush();
        assertEquals("done", answer);
        List<SpanRecord> spans = memory.getSpans();
        assertEquals(List.of("inner", "answer", "manual"), spans.stream().map(SpanRecord::getName).toList());
        assertEquals("s-1", spans.get(0).getAttributes().get("session.id"));
        assertEquals(spans.get(1).getSpanId(), spans.get(0).getParentSpanId());
        assertTrue(engine.stats().getAddsUp());
        Map<String, String> headers = Carriers.inject(new HashMap<String, String>());
        assertTrue(headers.isEmpty());
        engine.shutdown();
    }

    @Test
    void nullsAreCounted() {
        MemoryExporter memory = new MemoryExporter();
        Engine engine = started(memory);
        long before = engine.stats().getAltered();
        Span span = engine.start(null, null);
        span.set(null, "x").set("", 1).set("null", (String) null).set((Map<String, Object>) null);
        span.event(null).event(null, null, null).link((Parent) null).link((String) null);
        span.error(null, false).recordException(null).status(null).rename(null).input(null).output(null).metadata(null);
        span.tags((String[]) null).tags((String) null).tags("a", null);
        SpanOptions nothing = new SpanOptions().tags((String[]) null).links((Parent[]) null);
        Polyspan.run("options", nothing.links((Parent) null), inner -> assertTrue(inner.isRecording()));
        Map<String, Object> keys = new HashMap<>();
        keys.put(null, 1);
        span.set(keys).metadata(keys);
        span.end(null);
        span.end();
        span.close();
        Polyspan.run(null, null, inner -> {});
        Polyspan.event(null);
        Logs.log(null, null);
        Carriers.extract((Map<String, String>) null);
        engine.flush();
        assertEquals(4, memory.getSpans().size());
        assertTrue(engine.stats().getAltered() > before);
        assertEquals(1, engine.stats().getEndedTwice());
        engine.shutdown();
    }

    @Test
    void nullsWhereCodeOrOptionsBelong() throws Exception {
        MemoryExporter memory = new MemoryExporter();
        Engine engine = started(memory);
        long before = engine.stats().getAltered();
        int calls = 0;
        assertNull(Polyspan.call(null, null, null));
        assertNull(Polyspan.call("a", null));
        assertNull(engine.call("b", null, null));
        Polyspan.run("c", null, null);
        calls += 4;
        Span span = engine.start("d");
        assertNull(span.call(null));
        Context context = span.call(Context::current);
        assertNull(context.call(null));
        assertNull(context.wrap((Callable<String>) null).call());
        context.wrap((Runnable) null).run();
        calls += 4;
        assertNull(Polyspan.inContext(null, null));
        assertEquals(span.getTraceId(), span.call(() -> Polyspan.contextOf(null)).getSpanContext().getTraceId());
        calls += 3;
        assertNull(span.call(() -> Carriers.inject((HashMap<String, String>) null)));
        assertNull(span.call(() -> Carriers.injectEnvironment((HashMap<String, String>) null)));
        assertEquals("there", Carriers.inject("there", (Setter<String>) null));
        assertNull(Carriers.extract("there", (Getter<String>) null).getSpanContext());
        calls += 4;
        Polyspan.setLogger(null);
        Logs.setLogLevel(null);
        new InitOptions().set(null, "x");
        calls += 3;
        span.end();
        engine.flush();
        assertEquals(List.of("", "a", "b", "c", "d"), memory.getSpans().stream().map(SpanRecord::getName).toList());
        // At least: an engine that writes several headers is refused each.
        assertTrue(engine.stats().getAltered() >= before + calls, engine.stats().getAll() + " for " + calls);
        assertThrows(PolyspanError.class, () -> Polyspan.setDefault(null));
        engine.shutdown();
    }

    @Test
    void nullsInTheOpenTelemetryApi() {
        MemoryExporter memory = new MemoryExporter();
        Engine engine = started(memory);
        PolyspanOpenTelemetry otel = PolyspanOpenTelemetry.of(engine);
        TextMapPropagator propagator = otel.getPropagators().getTextMapPropagator();
        var root = io.opentelemetry.context.Context.root();
        long before = engine.stats().getAltered();
        assertSame(root, propagator.extract(root, "there", null));
        assertSame(root, propagator.extract(null, "there", null));
        propagator.inject(null, "there", null);
        propagator.inject(root, "there", null);
        otel.getTracer("app").spanBuilder("unit").setStartTimestamp(1, null).startSpan().end();
        assertEquals(5, engine.stats().getAltered() - before);
        engine.shutdown();
    }

    @Test
    void optionsOfAnotherKindAreNamed() {
        Map<String, Object> wrong =
                Map.of("processors", "x", "exporters", 1, "spanFilter", "keep", "mobile", true);
        wrong.forEach((option, value) -> {
            PolyspanError error = assertThrows(PolyspanError.class, () -> Polyspan.init(new InitOptions().set(option, value)));
            assertEquals("invalid_option", error.getCode());
            assertTrue(error.getMessage().startsWith(option + ": "), error.getMessage());
        });
        InitOptions mixed = new InitOptions().set("processors", List.of((Processor) span -> span, "no processor"));
        PolyspanError error = assertThrows(PolyspanError.class, () -> Polyspan.init(mixed));
        assertTrue(error.getMessage().startsWith("processors[1]: "), error.getMessage());
    }

    @Test
    void anotherThreadMayEndIt() throws InterruptedException {
        MemoryExporter memory = new MemoryExporter();
        Engine engine = started(memory);
        Span span = engine.start("handed");
        Thread thread = new Thread(() -> span.set("here", true).end());
        thread.start();
        thread.join();
        span.set("late", true).end();
        engine.flush();
        assertEquals(Map.of("here", true), memory.getSpans().get(0).getAttributes());
        assertEquals(1, engine.stats().getEndedTwice());
        engine.shutdown();
    }

    @Test
    void afterShutdown() {
        MemoryExporter memory = new MemoryExporter();
        Engine engine = started(memory);
        Span open = engine.start("open");
        engine.shutdown();
        open.set("k", 1).end();
        engine.start("late").end();
        engine.call("later", span -> span.set("k", 1));
        assertTrue(memory.getSpans().isEmpty());
        assertTrue(engine.stats().getAddsUp());
        engine.shutdown();
        assertFalse(Polyspan.engines().stream().anyMatch(one -> one.getName().equals(engine.getName())));
    }

    @Test
    void errorsOfInitNameTheOption() {
        Polyspan.setLogger(line -> {});
        PolyspanError error =
                assertThrows(PolyspanError.class, () -> Polyspan.init(new InitOptions().set("name", "bad").set("sampler", 7)));
        assertEquals("invalid_option", error.getCode());
        assertTrue(error.getMessage().startsWith("sampler"), error.getMessage());
        assertEquals("invalid_option", assertThrows(PolyspanError.class, () -> Polyspan.flush(-1)).getCode());
        assertThrows(PolyspanError.class, () -> Polyspan.init(new InitOptions().set("exporter", new Object())));
        assertThrows(PolyspanError.class, () -> Polyspan.engine("nobody"));
    }
}
