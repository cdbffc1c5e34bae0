/** A key of 32 bytes, as base64, made for one run. */
export const newKey = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")
