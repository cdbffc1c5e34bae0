const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/** Numbers that look random and are the same for the same seed (mulberry32). Not for real secrets. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** At least 0, less than 1. */
  next(): number {
    return this.word() / 4294967296
  }

  /** A text of base62 digits, five from each draw. */
  base62(length: number): string {
    let text = ""
    while (text.length < length) {
      let word = this.word()
      for (let digit = 0; digit < 5 && text.length < length; digit++) {
        text += alphabet.charAt(word % 62)
        word = Math.floor(word / 62)
      }
    }
    return text
  }

  private word(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
