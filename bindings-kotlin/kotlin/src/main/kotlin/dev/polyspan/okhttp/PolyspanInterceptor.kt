// OkHttp: an interceptor that makes a span of each call, which continues in the service that is called. Needs OkHttp 5,
// or 4, an optional dependency.

package dev.polyspan.okhttp

import dev.polyspan.Context
import dev.polyspan.inject
import dev.polyspan.internal.Exchange
import okhttp3.Call
import okhttp3.Interceptor
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response

/**
 * `OkHttpClient.Builder().addInterceptor(PolyspanInterceptor())`.
 *
 * Calls that are enqueued run in other threads: start them with [traced], which keeps what was current, where they are to
 * be children of that.
 */
public class PolyspanInterceptor : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        val url = request.url
        val span = Exchange.start(request.method, url.toString(), url.host, url.port, request.tag(Context::class.java))
        try {
            val carrying = inject(request.newBuilder(), { builder, name, value -> builder.header(name, value) }, span).build()
            val response = span.run { chain.proceed(carrying) }
            Exchange.answered(span, response.code)
            return response
        } catch (error: Throwable) {
            span.error(error)
            throw error
        }
    }
}

/** Makes calls of a client that has the interceptor, each a child of what is current when it is made. */
public fun OkHttpClient.traced(): Call.Factory =
    object : Call.Factory {
        override fun newCall(request: Request): Call =
            this@traced.newCall(request.newBuilder().tag(Context::class.java, Context.current()).build())
    }
