/** Words of a chip's state as plain bytes, and back. */

/** A copy of the words' bytes. */
export function savedWords(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice()
}

/** Puts back what {@link savedWords} returned for an array of the same length. */
export function restoreWords(words: Uint32Array, saved: Uint8Array): void {
  if (saved.length !== words.byteLength)
    throw new Error(`saved state has ${saved.length} bytes, not ${words.byteLength}`)
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength).set(saved)
}
