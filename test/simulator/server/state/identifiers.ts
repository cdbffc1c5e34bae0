import type { Provider } from "../../model.ts"
import { digest } from "./random.ts"

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const WIDTH = 4
const SPACE = 62 ** WIDTH

// Multiplying by something coprime to 62 makes neighbours look unrelated, and can be undone.
const FACTOR = 7_368_787
const INVERSE = (() => {
  let [previous, current] = [0n, 1n]
  let [larger, smaller] = [BigInt(SPACE), BigInt(FACTOR)]
  while (smaller !== 0n) {
    const quotient = larger / smaller
    ;[previous, current] = [current, previous - quotient * current]
    ;[larger, smaller] = [smaller, larger - quotient * smaller]
  }
  return Number((previous + BigInt(SPACE)) % BigInt(SPACE))
})()

const multiplyInSpace = (left: number, right: number): number => Number((BigInt(left) * BigInt(right)) % BigInt(SPACE))

const encode = (number: number): string => {
  let rest = (number * FACTOR) % SPACE
  let text = ""
  for (let digit = 0; digit < WIDTH; digit++) {
    text = ALPHABET.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}

const decode = (text: string): number => {
  let number = 0
  for (const character of text) number = number * 62 + ALPHABET.indexOf(character)
  return multiplyInSpace(number, INVERSE)
}

const filler = (text: string, length: number): string => digest(text).replaceAll(/[-_]/g, "x").slice(0, length)

/**
 * Ids carry the number of their source and item, so that an item is found without an index of millions: the archives
 * of a seeded simulator exist only once somebody asks for them. They look like the providers' own: 22 of base62 for
 * Spotify, `UC` and 22 for a channel, 11 for a video.
 */
export const sourceIdOf = (seed: string, provider: Provider, source: number): string => {
  const id = filler(`${seed}:source:${source}`, 14) + encode(source) + encode(0)
  return provider === "spotify" ? id : `UC${id}`
}

/** `serial` counts from 1 within the source. */
export const itemIdOf = (seed: string, provider: Provider, source: number, serial: number): string =>
  filler(`${seed}:item:${source}:${serial}`, provider === "spotify" ? 14 : 3) + encode(source) + encode(serial)

/** The numbers in an id. They prove nothing: the caller compares the id with that of what it finds. */
export const numbersIn = (id: string): { readonly source: number; readonly serial: number } => ({
  source: decode(id.slice(-2 * WIDTH, -WIDTH)),
  serial: decode(id.slice(-WIDTH)),
})

/** Spotify's user ids have 25 or more characters of a-z and 0-9. */
export const spotifyUserIdOf = (person: string): string =>
  `31${digest(`user:${person}`).replaceAll(/[-_]/g, "x").toLowerCase().slice(0, 26)}`

export const channelOfPerson = (person: string): string => `UC${filler(`channel:${person}`, 22)}`

/** The uploads playlist of channel `UC…` is `UU…`. */
export const uploadsOf = (channel: string): string => `UU${channel.slice(2)}`

export const channelOfUploads = (playlist: string): string => `UC${playlist.slice(2)}`
