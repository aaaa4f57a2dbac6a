package dev.polyspan
public interface Processor
public fun interface SpanFilter { public fun keeps(span: Any): Boolean }
public class MobileOptions
