// The data of the workload (`benches/workload.json`): the same texts as `python/workload.py` makes.

const val SPANS_PER_TRACE = 8

/** The six attributes of a span. */
class Facts(
    val request: String,
    val component: String,
    val region: String,
    val attempt: Long,
    val score: Double,
    val cached: Boolean,
)

/** What a model call says beside them. */
class Model(
    val input: String,
    val output: String,
    val position: Long,
    val finish: String,
    val tokens: Long,
    val unit: String,
)

/** The data of one trace. */
class Turn(
    val agent: Facts,
    val plan: Facts,
    val lookup: Facts,
    val query: Facts,
    val answer: Facts,
    val recall: Facts,
    val notify: Facts,
    val calendar: Facts,
    val planModel: Model,
    val answerModel: Model,
)

/** What the first span carries. */
val FIRST = Facts("twenty characters ok", "twenty characters ok", "twenty characters ok", 1, 0.5, true)

/** A linear congruential generator (Knuth's MMIX constants). */
private class Words(
    private var state: Long,
    private val words: List<String>,
) {
    fun next(): Long {
        state = state * 6364136223846793005 + 1442695040888963407
        return state ushr 33
    }

    fun text(length: Int): String =
        buildString {
            while (this.length < length) append(words[(next() % words.size).toInt()]).append(' ')
            setLength(length)
        }

    fun facts() = Facts(text(20), text(20), text(20), next() % 100, (next() % 10_000) / 10_000.0, (next() and 1) == 0L)

    fun model() = Model(text(1000), text(1000), next() % 1000, text(20), next() % 5000, text(20))
}

/** The turns of the page, which `run.py` hands over as `seed count word word ...`; runs go round them. */
fun turns(): Array<Turn> {
    val page = System.getProperty("bench.workload").split(' ')
    val words = Words(page[0].toLong(), page.drop(2))
    return Array(page[1].toInt()) {
        val facts = List(8) { words.facts() }
        val (agent, plan, lookup, query, answer) = facts
        Turn(agent, plan, lookup, query, answer, facts[5], facts[6], facts[7], words.model(), words.model())
    }
}
