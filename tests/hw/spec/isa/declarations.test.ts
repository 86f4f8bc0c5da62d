import { expect, test } from 'vitest'
import { COMPRESSED } from '../../../../hw/spec/isa/c.ts'
import { analyse, decode, INSTRUCTIONS, instructionNamed } from '../../../../hw/spec/isa/index.ts'
import { RULE_NAMES } from '../../../../hw/spec/rule-names.ts'
import { rule, type RuleName } from '../../../../hw/spec/sources.ts'
import { randomWords } from './random-words.ts'

const forms = [...INSTRUCTIONS, ...COMPRESSED]

/** Bits of a form's pattern that its operands fill, and how often each. */
function operandBits(kinds: (typeof forms)[number]['kinds']): number[] {
  return kinds.flatMap(({ pieces }) =>
    pieces.flatMap(([high, low]) => Array.from({ length: high - low + 1 }, (_, index) => low + index)),
  )
}

test('each bit of a pattern is fixed, of an operand, or one that the manual tells to ignore', () => {
  // The ordering bits of atomics; what is reserved in a fence.
  const ignored = (name: string) =>
    /^(amo|lr|sc)/.test(name) ? [25, 26] : name.startsWith('fence') ? [...Array(25).keys()].map(bit => bit + 7) : []
  const odd = forms.filter(({ name, pattern, kinds }) => {
    const bits = operandBits(kinds)
    const free = pattern.split('').flatMap((bit, index) => (bit === '.' ? [pattern.length - 1 - index] : []))
    const fixedTwice = bits.some(bit => !free.includes(bit)) || new Set(bits).size !== bits.length
    return fixedTwice || free.some(bit => !bits.includes(bit) && !ignored(name).includes(bit))
  })
  expect(odd.map(({ name }) => name)).toEqual([])
})

test('where two patterns overlap, one is a special case of the other', () => {
  const overlaps = forms.flatMap((a, index) =>
    forms.slice(index + 1).flatMap(b => {
      if (a.pattern.length !== b.pattern.length || ((a.match ^ b.match) & a.mask & b.mask) !== 0) return []
      const common = (a.mask & b.mask) >>> 0
      return common === a.mask || common === b.mask ? [] : [`${a.name} and ${b.name}`]
    }),
  )
  expect(overlaps).toEqual([])
})

test('every instruction has words that decode to it', () => {
  expect(new Set(randomWords(3, 1).map(({ name }) => name))).toEqual(new Set(forms.map(({ name }) => name)))
})

test('names are unique, indices dense', () => {
  expect(new Set(forms.map(({ name }) => name)).size).toBe(forms.length)
  expect(INSTRUCTIONS.map(({ index }) => index)).toEqual(INSTRUCTIONS.map((_, index) => index))
})

test('every instruction cites a rule that the manual has; only our own door and a proposal have none', () => {
  const known: readonly string[] = Object.values(RULE_NAMES).flat()
  expect(forms.filter(form => !known.includes(form.rule)).map(({ name }) => name)).toEqual(['entry', 'fence.t'])
  expect(() => rule('no_such_rule' as RuleName)).toThrow('no normative rule "no_such_rule"')
})

test('fields that an instruction lacks decode as zero, and a compressed one as what it stands for', () => {
  expect(decode(0xfe0508e3)).toMatchObject({ length: 4, rd: 0, rs1: 10, rs2: 0, imm: -16, rm: 0, csr: 0 }) // beqz a0, .-16
  expect(decode(0x8082)).toMatchObject({
    instruction: { name: 'jalr' },
    length: 2,
    rd: 0,
    rs1: 1,
    imm: 0,
    word: 0x8082,
  }) // ret
  expect(decode(0x30102573)).toMatchObject({ instruction: { name: 'csrrs' }, rd: 10, csr: 0x301, imm: 0 })
  expect(decode(0)).toBeUndefined()
  expect(decode(0xffff_ffff)).toBeUndefined()
})

test('what an instruction can do is found from its meaning', () => {
  const of = (name: string) => analyse(instructionNamed(name)!)
  expect(of('ld')).toMatchObject({ reads: true, writes: false, mayTrap: true, readsX: ['rs1'], writesX: ['rd'] })
  expect(of('amoadd.w')).toMatchObject({ reads: true, writes: true })
  expect(of('beq')).toMatchObject({ branches: true, jumps: false, mayTrap: false, readsX: ['rs1', 'rs2'], writesX: [] })
  expect(of('jal')).toMatchObject({ jumps: true, writesX: ['rd'] })
  expect(of('fmadd.d')).toMatchObject({ float: true, mayTrap: true, readsF: ['rs1', 'rs2', 'rs3'], writesF: ['rd'] })
  expect(of('csrrw')).toMatchObject({ csr: true, action: undefined })
  expect(of('fence')).toMatchObject({ action: 'fence', mayTrap: false })
  expect(of('sret')).toMatchObject({ action: 'sret', mayTrap: true })
  expect(of('add').operations).toEqual(['x', 'x', 'add', 'setX'])
})
