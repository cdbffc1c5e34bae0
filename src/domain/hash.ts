/**
 * A stable hash of a text, 0 to 2^32 - 1; the same on every machine and for ever. FNV-1a (32 bits) over its UTF-8, mixed by the finaliser
 * of MurmurHash3. Sources: http://www.isthe.com/chongo/tech/comp/fnv, https://github.com/aappleby/smhasher.
 */
export const stableHash = (text: string): number => {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
