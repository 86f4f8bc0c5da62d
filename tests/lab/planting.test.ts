/** Changes are planted as text, at exactly one place; the product beside them stays as it is. */
import { expect, test } from 'vitest'
import { planted, plant } from '../../lab/planting/planting.ts'
import { sourceOf, substituted } from '../../lab/planting/substitution.ts'
import { VirtualFinisher } from '../../vmm/virtual/finisher.ts'

const FILE = 'vmm/virtual/finisher.ts'
const change = (anchor: string, replacement = '') => ({ file: FILE, anchor, replacement })

test('an anchor that stands nowhere, or twice, is refused', () => {
  expect(() => plant('nowhere', [change('what nobody wrote')])).toThrow('stands there 0 times')
  expect(() => plant('twice', [change('#finished(port,')])).toThrow('stands there 2 times')
  expect(() => plant('empty', [change('')])).toThrow('stands there 0 times')
})

test('several anchors of one file are replaced, and must not overlap', () => {
  const text = substituted(sourceOf(FILE), [change('return 0', 'return 1'), change('offset !== 0', 'offset !== 4')])
  expect(text).toContain('return 1')
  expect(text).toContain('offset !== 4')
  expect(() => substituted(sourceOf(FILE), [change('return 0', ''), change('urn 0', '')])).toThrow('overlaps')
})

test('only the copy has what is planted, counted as the rest is', async () => {
  plant('answers one', [change('return 0', 'return 1')])
  const copy = await planted<typeof import('../../vmm/virtual/finisher.ts')>(
    'answers one',
    new URL('../../vmm/virtual/finisher.ts', import.meta.url),
  )
  expect(new copy.VirtualFinisher(() => {}).read()).toBe(1)
  expect(new VirtualFinisher(() => {}).read()).toBe(0)
  expect(copy.VirtualFinisher.prototype.read.toString()).toContain('$path')
})

test('nothing is planted into the machine', () => {
  expect(() => plant('machine', [{ file: 'hw/port.ts', anchor: 'TOO_BIG = 2', replacement: '' }])).toThrow(
    'nothing can be planted there',
  )
})
