import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { assemble } from '../../../../hw/spec/isa/assembler.ts'
import { disassemble } from '../../../../hw/spec/isa/disassembler.ts'
import { ASSEMBLER, missingTools, withScratch } from '../../../conformance/tools.ts'
import { randomWords } from './random-words.ts'
import { EVERY_FORM } from './every-form.ts'

const PREFIX = 'riscv64-linux-gnu-'
const MARCH = 'rv64gch_zba_zbb_zbs_zicbom_zicboz_zicbop_svinval_zicsr_zifencei_zihintpause'
const missing = missingTools(ASSEMBLER, `${PREFIX}objdump`, `${PREFIX}ld`)
const note = missing.length > 0 ? ` (skipped, missing: ${missing.join(', ')})` : ''

/** Instructions that binutils 2.40 lacks, or shows only with their reserved fields zero. */
const APART = /^(czero|entry|fence\.t|mark\.(start|end|begin|finish|due)|fence|fence\.i|c\.nop|fcvt\.d\.(w|wu|s))$/

/** With symbols in the file, objdump shows targets without 0x. */
function withoutPrefix(text: string): string {
  return /^(jal|b(eq|ne|ltu?|geu?)|c\.(j|beqz|bnez)) /.test(text) ? text.replace(/0x([0-9a-f]+)$/, '$1') : text
}

function gnuDisassembly(words: readonly number[]): string[] {
  return withScratch(folder => {
    const source = words.map(word => `.insn ${(word & 3) === 3 ? 4 : 2}, 0x${word.toString(16)}\n`).join('')
    writeFileSync(join(folder, 'words.s'), source)
    execFileSync(ASSEMBLER, [`-march=${MARCH}`, '-o', join(folder, 'words.o'), join(folder, 'words.s')])
    const listing = execFileSync(`${PREFIX}objdump`, ['-d', '-z', '-M', 'no-aliases', join(folder, 'words.o')], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    const lines = listing.split('\n').filter(line => /^\s+[0-9a-f]+:\t/.test(line))
    return lines.map(line =>
      line
        .split('\t')
        .slice(2)
        .join(' ')
        .replace(/\s*[<#].*$/, '')
        .trim(),
    )
  })
}

function gnuImage(source: string, base: number): Uint8Array {
  return withScratch(folder => {
    const path = (name: string) => join(folder, name)
    writeFileSync(path('program.s'), source)
    execFileSync(ASSEMBLER, [`-march=${MARCH}`, '-mno-relax', '-o', path('program.o'), path('program.s')])
    const address = `-Ttext=0x${base.toString(16)}`
    execFileSync(`${PREFIX}ld`, [
      '-N',
      '--no-relax',
      '--no-warn-rwx-segments',
      address,
      '-e',
      '0',
      '-o',
      path('elf'),
      path('program.o'),
    ])
    execFileSync(`${PREFIX}objcopy`, ['-O', 'binary', '-j', '.text', path('elf'), path('bin')])
    return readFileSync(path('bin'))
  })
}

describe.skipIf(missing.length > 0)(`against GNU binutils${note}`, () => {
  test('random words of every instruction disassemble as objdump shows them', () => {
    const words = randomWords(20_261_123, 20).filter(({ name }) => !APART.test(name.replace(/^czero.*/, 'czero')))
    const theirs = gnuDisassembly(words.map(({ word }) => word))
    let pc = 0
    const ours = words.map(({ word }) => {
      const text = disassemble(word, pc)
      pc += (word & 3) === 3 ? 4 : 2
      return withoutPrefix(text)
    })
    const unnamed = /csr.*,0x[0-9a-f]+,/ // a CSR that this machine lacks has no name here
    const hint = /^c\.s(rl|ra|ll)i .*,0x0$/ // objdump names these HINTs after RV128's c.srai64 and its like
    const pairs = ours
      .map((text, index) => [text, theirs[index]] as const)
      .filter(([text]) => !unnamed.test(text) && !hint.test(text))
    expect(pairs.filter(([text, theirs]) => text !== theirs)).toEqual([])
    expect(pairs.length).toBeGreaterThan(4000)
  })

  test('of all 16-bit words, those are legal that objdump knows, and mean the same', () => {
    const words = Array.from({ length: 0x10000 }, (_, word) => word).filter(word => (word & 3) !== 3)
    const theirs = gnuDisassembly(words)
    const differing = words.flatMap((word, index) => {
      const ours = withoutPrefix(disassemble(word, 2 * index))
        .replace('.half', '.2byte')
        .replace(/0x0+(?=[0-9a-f])/, '0x')
      const gnu = theirs[index].replace(/(c\.s\w+)64 (\w+)/, '$1 $2,0x0')
      return ours === gnu ? [] : [`${gnu} → ${ours}`]
    })
    // Illegal, reserved, and the same by another name.
    expect(differing).toEqual(['c.unimp → .2byte 0x0', 'c.addi zero,0 → c.nop', 'c.addi16sp sp,0 → .2byte 0x6101'])
  })

  test.each([
    ['without', false],
    ['with', true],
  ])('a source of every form assembles as GNU as does it, %s compression', (_, compress) => {
    const symbolic = /\bsymbolic\b/
    const source = EVERY_FORM.split('\n')
      .filter(line => !compress || !symbolic.test(line))
      .join('\n')
    const base = 0x8000_0000
    const theirs = gnuImage(`.option ${compress ? 'rvc' : 'norvc'}\n${source}`, base)
    const { bytes } = assemble(source, { origin: base, compress })
    const differing: string[] = []
    for (let at = 0; at < theirs.length; at += 2) {
      const half = (image: Uint8Array) => (image[at] | (image[at + 1] << 8)).toString(16)
      if (half(theirs) !== half(bytes))
        differing.push(`${at.toString(16)}: ours ${half(bytes)}, theirs ${half(theirs)}`)
    }
    expect(differing.slice(0, 5)).toEqual([])
    expect(bytes.length).toBe(theirs.length)
  })
})
