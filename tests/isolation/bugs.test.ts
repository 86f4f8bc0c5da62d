/** The bug library: each bug can be planted, at exactly one place, and says all that there is to say of it. */
import { expect, test } from 'vitest'
import { AREAS, BUGS } from '../../lab/isolation/bugs/index.ts'
import { sourceOf, substituted } from '../../lab/planting/substitution.ts'

test('there are sixty and more, each with a name of its own', () => {
  expect(BUGS.length).toBeGreaterThanOrEqual(60)
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length)
  for (const { name } of BUGS) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
})

test.each(BUGS)('$name stands at one place, and changes it', bug => {
  const source = sourceOf(bug.file)
  expect(substituted(source, [bug])).not.toBe(source)
  for (const text of [bug.models, bug.difference, bug.promise]) expect(text).not.toBe('')
})

test('no two are the same change', () => {
  expect(new Set(BUGS.map(({ file, anchor, replacement }) => `${file} ${anchor} ${replacement}`)).size).toBe(
    BUGS.length,
  )
})

test('every area has some', () => {
  const areas = new Set(BUGS.map(({ area }) => area))
  expect(AREAS.filter(area => !areas.has(area))).toEqual([])
})
