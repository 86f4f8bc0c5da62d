import { COMPRESSED } from '../../../../hw/spec/isa/c.ts'
import { decode, INSTRUCTIONS } from '../../../../hw/spec/isa/index.ts'

/** A small generator of 32-bit numbers (xorshift), the same on every host. */
export function numbers(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** `each` random words of every instruction and compressed form, with the name that each must decode to. */
export function randomWords(seed: number, each: number): { readonly name: string; readonly word: number }[] {
  const next = numbers(seed)
  const forms = [...INSTRUCTIONS, ...COMPRESSED]
  return forms.flatMap(form => {
    const words: { name: string; word: number }[] = []
    for (let tries = 0; words.length < each && tries < 100 * each; tries++) {
      const free = form.pattern.length === 16 ? ~form.mask & 0xffff : ~form.mask
      const word = (form.match | (next() & free)) >>> 0
      const name = decode(word)?.instruction.name
      if (name === ('base' in form ? form.base.name : form.name)) words.push({ name: form.name, word })
    }
    return words
  })
}
