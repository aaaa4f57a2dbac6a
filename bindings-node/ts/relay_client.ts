// Who posts to the relay, for its rates: an address as the proxies have it, without what a client can choose freely.

/** What is kept of a name at most. */
const LONGEST = 64

/** The client that an entry of `x-forwarded-for` names. Some proxies add the port, which every connection has another one
 * of. Of IPv6 it is the network of 64 bits, whose addresses a client may have all of. */
export function clientOf(entry: string): string {
  const text = entry.trim()
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]*):\d+$/.exec(text)?.[1] ?? text
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1]
  return short(mapped ?? (bare.includes(':') ? network(bare) : bare))
}

/** The first four groups of an IPv6 address; anything else as it is. */
function network(address: string): string {
  const [head = '', tail, more] = (address.split('%', 1)[0] as string).toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail ? tail.split(':') : []
  const between = tail === undefined ? 0 : 8 - first.length - last.length
  const groups = between < 0 ? [] : [...first, ...Array<string>(between).fill('0'), ...last]
  if (more !== undefined || groups.length !== 8 || !groups.every((group) => /^[\da-f]{1,4}$/.test(group)))
    return address
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

/** The beginning of a text, in bytes of its own: a part of a text keeps the whole of it in memory, here all headers of a
 * request. */
export function short(text: string): string {
  return Buffer.from(text.slice(0, LONGEST)).toString()
}
