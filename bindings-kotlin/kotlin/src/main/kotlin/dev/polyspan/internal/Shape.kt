// How an object is taken apart: what of it is worth showing.
//
// Called by `Capture`. Nothing is used up (iterators, sequences, streams), waited for, or converted as a whole. Maps,
// collections, records, data classes and beans show what they hold; whatever says of itself what it is, that text;
// everything else its class alone.

package dev.polyspan.internal

import java.lang.ref.SoftReference
import java.lang.reflect.Array as Arrays
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import java.nio.ByteBuffer
import java.util.Collections
import java.util.Date
import java.util.Optional
import java.util.WeakHashMap
import java.util.concurrent.Future

internal sealed class Shape {
    class Text(
        val text: String,
    ) : Shape()

    class Data(
        val bytes: ByteArray,
    ) : Shape()

    /** Another value stands for it. */
    class Other(
        val value: Any?,
    ) : Shape()

    class Items(
        val size: Int,
        val items: Iterator<*>,
    ) : Shape()

    class Entries(
        val size: Int,
        val entries: Iterator<Map.Entry<*, *>>,
    ) : Shape()

    class Fields(
        val fields: List<Field>,
    ) : Shape()

    /** A property of a class, and how it is read. */
    class Field(
        val name: String,
        private val read: (Any) -> Any?,
    ) {
        /** The property, or what reading it threw. */
        fun of(value: Any): Any? =
            try {
                read(value)
            } catch (error: java.lang.reflect.InvocationTargetException) {
                "[getter threw ${(error.targetException ?: error).javaClass.simpleName}]"
            } catch (error: Exception) {
                "[getter threw ${error.javaClass.simpleName}]"
            }
    }

    /** What errors show. Causes behind causes are followed as far as values nest. */
    private object Errors {
        val fields =
            listOf(
                Field("name") { it.javaClass.simpleName.ifEmpty { it.javaClass.name } },
                Field("message") { (it as Throwable).message },
                Field("stack") { ErrorParts.stackOf(it as Throwable, causes = false) },
            )
        val cause = Field("cause") { (it as Throwable).cause }
        val suppressed = Field("errors") { (it as Throwable).suppressed }
    }

    companion object {
        /** What is known of classes; the collector may have both. */
        private val known = Collections.synchronizedMap(WeakHashMap<Class<*>, SoftReference<List<Field>>>())

        fun of(value: Any): Shape =
            try {
                look(value)
            } catch (error: Exception) {
                Text("[unreadable: ${error.javaClass.simpleName}]")
            }

        private fun look(value: Any): Shape =
            when (value) {
                is Map<*, *> -> Entries(value.size, value.entries.iterator())
                is Collection<*> -> Items(value.size, value.iterator())
                is ByteArray -> Data(value)
                is ByteBuffer -> value.duplicate().let { Data(ByteArray(it.remaining()).also(it::get)) }
                is CharSequence, is Char -> Text(value.toString())
                is Enum<*> -> Text(value.name)
                is Throwable -> errorOf(value)
                is Optional<*> -> Other(value.orElse(null))
                is Date -> Text(value.toInstant().toString())
                is Number -> numberOf(value)
                is Class<*> -> Text(value.name)
                is Future<*>, is Thread, is Function<*>, is AutoCloseable, is Sequence<*>, is Iterator<*> -> Text(classText(value))
                else -> if (value.javaClass.isArray) array(value) else objectOf(value)
            }

        private fun array(array: Any): Shape {
            val size = Arrays.getLength(array)
            return Items(
                size,
                object : Iterator<Any?> {
                    private var at = 0

                    override fun hasNext() = at < size

                    override fun next() = Arrays.get(array, at++)
                },
            )
        }

        /** Numbers of other classes: the atomic ones as such, decimals as text, which keeps every digit. */
        private fun numberOf(number: Number): Shape =
            when (number) {
                is java.util.concurrent.atomic.AtomicInteger,
                is java.util.concurrent.atomic.AtomicLong,
                is java.util.concurrent.atomic.LongAdder,
                -> Other(number.toLong())

                else -> Text(number.toString())
            }

        private fun errorOf(error: Throwable): Shape {
            val fields = Errors.fields.toMutableList()
            if (error.cause != null) fields += Errors.cause
            if (error.suppressed.isNotEmpty()) fields += Errors.suppressed
            return Fields(fields)
        }

        private fun objectOf(value: Any): Shape {
            val type = value.javaClass
            val fields = known[type]?.get() ?: fieldsOf(type).also { known[type] = SoftReference(it) }
            val shows = isRecord(type) || isData(type) || (fields.isNotEmpty() && !saysItself(type))
            if (shows) return Fields(fields)
            if (!saysItself(type)) return Text(classText(value))
            return try {
                Text(value.toString())
            } catch (error: Exception) {
                Text("[toString threw ${error.javaClass.simpleName}]")
            }
        }

        private fun saysItself(type: Class<*>): Boolean = type.getMethod("toString").declaringClass != Any::class.java

        /** A data class of Kotlin has these two, of which nothing else has both. */
        private fun isData(type: Class<*>): Boolean =
            type.declaredMethods.any { it.name == "component1" && it.parameterCount == 0 } &&
                type.declaredMethods.any { it.name == "copy\$default" || it.name == "copy" }

        /** By name: older Android has neither records nor the question. */
        private fun isRecord(type: Class<*>): Boolean = type.superclass?.name == "java.lang.Record"

        private fun fieldsOf(type: Class<*>): List<Field> {
            if (isRecord(type)) return type.recordComponents.map { Field(it.name, readerOf(it.accessor)) }
            // The classes of the platform are closed to us, and say what they are.
            if (type.name.startsWith("java.") || type.name.startsWith("kotlin.")) {
                return if (isData(type)) properties(type) else emptyList()
            }
            return generateSequence(type) { it.superclass }
                .takeWhile { it != Any::class.java && !it.name.startsWith("java.") }
                .toList()
                .asReversed()
                .flatMap(::properties)
                .distinctBy { it.name }
        }

        /** Fields that everyone may read, by a getter or as they are, in the order they are declared. */
        private fun properties(type: Class<*>): List<Field> =
            type.declaredFields.filter { !Modifier.isStatic(it.modifiers) && !it.isSynthetic }.mapNotNull { field ->
                val name = field.name
                val upper = name.replaceFirstChar { it.uppercaseChar() }
                val getter = listOf("get$upper", "is$upper", name).firstNotNullOfOrNull { getterOf(type, it) }
                when {
                    getter != null -> Field(name, readerOf(getter))
                    Modifier.isPublic(field.modifiers) && field.trySetAccessible() -> Field(name) { field.get(it) }
                    else -> null
                }
            }

        private fun getterOf(
            type: Class<*>,
            name: String,
        ): Method? =
            try {
                type.getDeclaredMethod(name).takeIf { Modifier.isPublic(it.modifiers) && it.returnType != Void.TYPE }
            } catch (_: NoSuchMethodException) {
                null
            }

        private fun readerOf(method: Method): (Any) -> Any? {
            // Public methods of a class that is not.
            method.trySetAccessible()
            return { method.invoke(it) }
        }

        private fun classText(value: Any): String {
            val type = value.javaClass
            return "[${type.simpleName.ifEmpty { type.name.substringAfterLast('.') }}]"
        }

        /** A key of a map as text. */
        fun keyText(key: Any?): String =
            when (key) {
                is String -> key
                null -> "null"
                is CharSequence, is Number, is Boolean, is Char -> key.toString()
                is Enum<*> -> key.name
                else -> if (key.javaClass.name.startsWith("java.")) key.toString() else classText(key)
            }
    }
}
