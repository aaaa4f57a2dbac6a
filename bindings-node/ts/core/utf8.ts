// Texts as UTF-8 and back, for what is seldom: the span path writes short ones itself (`writer.ts`).

let encoder: TextEncoder | undefined
let decoder: TextDecoder | undefined

/** A text as UTF-8; for what is seldom. */
export function utf8Of(text: string): Uint8Array {
  encoder ??= new TextEncoder()
  return encoder.encode(text)
}

/** The text that some UTF-8 is. */
export function textOf(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { ignoreBOM: true })
  return decoder.decode(bytes)
}

/** The longest beginning of at most `limit` bytes that splits no character. */
export function utf8Cut(bytes: Uint8Array, limit: number): number {
  let end = Math.min(limit, bytes.length)
  while (end > 0 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1
  return end
}

/** The first characters of a text, as a text of their own: a slice would hold on to the whole. */
export function headOf(text: string, characters: number): string {
  return textOf(utf8Of(text.slice(0, characters)))
}
