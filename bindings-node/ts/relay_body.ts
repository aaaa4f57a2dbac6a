// Reading the body of a request to the relay: bounded in bytes and in time, and in the bytes of all of them together.

/** Bytes of bodies that have arrived in part, of all requests of a relay at most. */
const ALL_BYTES = 16 * 1024 * 1024

export class Bodies {
  private held = 0

  /** The body of a request, whatever `content-length` said of it: `'size'` where it is longer than allowed, `'busy'` where
   * there is no room beside the others, `'body'` where it broke off, was read by somebody else, or took too long. */
  async read(
    request: Request,
    limit: number,
    timeout: number,
  ): Promise<Uint8Array | 'size' | 'busy' | 'body'> {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
    // It grows by pieces that may be of a byte each.
    let bytes = Buffer.alloc(0)
    let length = 0
    let disarm = (): void => undefined
    try {
      reader = request.body?.getReader()
      if (reader === undefined) return 'body'
      const late = new Promise<undefined>((done) => {
        const timer = setTimeout(done, timeout)
        disarm = () => clearTimeout(timer)
      })
      for (;;) {
        const next = await Promise.race([reader.read(), late])
        if (next === undefined) return 'body'
        if (next.done) return bytes.subarray(0, length)
        const { value } = next
        if (length + value.length > limit) return 'size'
        if (this.held + value.length > ALL_BYTES) return 'busy'
        this.held += value.length
        if (length + value.length > bytes.length) {
          const larger = Buffer.allocUnsafe(
            Math.max(length + value.length, Math.min(limit, 2 * bytes.length)),
          )
          bytes.copy(larger, 0, 0, length)
          bytes = larger
        }
        bytes.set(value, length)
        length += value.length
      }
    } catch {
      return 'body'
    } finally {
      disarm()
      this.held -= length
      // What is left of it is nobody's.
      reader?.cancel().catch(() => undefined)
    }
  }
}
