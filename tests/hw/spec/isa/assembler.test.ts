import { describe, expect, test } from 'vitest'
import { assemble, AssemblyError } from '../../../../hw/spec/isa/assembler.ts'
import { disassemble } from '../../../../hw/spec/isa/disassembler.ts'
import { randomWords } from './random-words.ts'

/** Fields that the assembler cannot write, because the manual reserves them: they come back as zero. */
function writable(name: string, word: number): number {
  if (name === 'fence') return word & 0x0ff0_707f
  if (name === 'fence.i') return 0x100f
  return word
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true))
}

test('what the disassembler shows assembles to the same word', () => {
  const origin = 0x8000_0000
  const failures = randomWords(7, 10).flatMap(({ name, word }) => {
    const text = disassemble(word, origin)
    if (text.includes('unknown')) return [] // a reserved rounding mode cannot be written
    const { bytes } = assemble(text, { origin })
    const padded = new Uint8Array(4)
    padded.set(bytes)
    const expected = (writable(name, word) >>> 0).toString(16)
    const found = words(padded)[0].toString(16)
    return found === expected ? [] : [`${name} ${expected} → ${text} → ${found}`]
  })
  expect(failures).toEqual([])
})

test('sections are laid out text, rodata, data, bss, and symbols are addresses', () => {
  const { bytes, symbols } = assemble(
    `.bss\nb: .space 8\n.data\nd: .dword t\n.section .rodata.x,"a"\nr: .byte 1\n.text\nt: ret`,
    { origin: 0x1000 },
  )
  expect([...symbols].toSorted(([, a], [, b]) => a - b)).toEqual([
    ['t', 0x1000],
    ['r', 0x1008],
    ['d', 0x1010],
    ['b', 0x1018],
  ])
  expect(words(bytes)[4]).toBe(0x1000)
  expect(bytes.length).toBe(0x20)
})

test('enter puts entries in the order in which their names first appear', () => {
  const program = assemble('a: enter first\nenter second\nb: enter first', { origin: 0x100 })
  expect(program.entries).toEqual([
    { index: 0, label: 'first', address: 0x104 },
    { index: 1, label: 'second', address: 0x110 },
    { index: 0, label: 'first', address: 0x11c },
  ])
  expect(
    words(program.bytes)
      .slice(0, 5)
      .map(word => disassemble(word, 0)),
  ).toEqual(['addi t6,zero,0', 'entry 0', 'entry 4095', 'addi t6,zero,0', 'entry 1'])
})

test('symbols from outside are numbers', () => {
  expect(words(assemble('li a0, SIZE\n.word SIZE + 1', { symbols: { SIZE: 16 } }).bytes)).toEqual([0x01000513, 17])
})

describe('a mistake is one line that names the place and the remedy', () => {
  test.each([
    ['nop\naddi a0, a1, 5000', 'line 2: "addi a0, a1, 5000": 5000 does not fit (-2048 to 2047)'],
    ['addi a0, a1', 'line 1: "addi a0, a1": takes 3 operands (rd,rs1,imm.i), found 2'],
    ['j nowhere', 'line 1: "j nowhere": "nowhere" is not defined: add a label, .equ or an entry in options.symbols'],
    ['frob a0', 'line 1: "frob a0": no instruction or macro "frob"'],
    ['add a0, b1, a2', 'line 1: "add a0, b1, a2": "b1" is not an integer register'],
    ['x: nop\nx: nop', 'line 2: "x: nop": label "x" is already defined: choose another name'],
    ['lw a0, 4[a1]', 'line 1: "lw a0, 4[a1]": "[a1]" is no expression'],
    ['.if 1', 'line 1: ".if 1": an .endif is missing'],
    ['.macro m\nnop', 'line 1: ".macro m": its .endm is missing'],
    ['.equ a, b\n.equ b, a\n.word a', 'line 3: ".word a": "a" is defined by itself'],
    [
      'beq a0, a1, far\n.space 8192\nfar:',
      'line 1: "beq a0, a1, far": 8196 does not fit (-4096 to 4094, multiples of 2): beq rs1,rs2,imm.b cannot reach that far',
    ],
    ['.frob 1', 'directive .frob is not supported'],
    ['csrr a0, nosuch', '"nosuch" is not defined'],
    ['li a0, later\nlater:', '"later" must be known here: define its symbols above, as numbers'],
    ['seqz a0', 'no instruction or macro "seqz": it takes 2 operands, found 1'],
  ])('%j', (source, message) => {
    expect(() => assemble(source)).toThrow(AssemblyError)
    expect(() => assemble(source)).toThrow(message)
  })
})
