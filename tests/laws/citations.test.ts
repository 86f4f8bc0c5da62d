import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RULE_NAMES } from '../../hw/spec/rule-names.ts'
import { SOURCES } from '../../hw/spec/sources.ts'
import { ROOT, sourceFiles } from './sources.ts'

const rules: ReadonlySet<string> = new Set(Object.values(RULE_NAMES).flat())
/** Source, its version if the citation says one, and the section: numbers, a quoted title, or a name. */
const sections = [
  ...SOURCES.filter(({ cited }) => /^\w+$/.test(cited)).map(
    ({ cited, version }) => new RegExp(`^${cited}( ${version})? (\\d+(\\.\\w+)*(, \\d+(\\.\\w+)*)*|[A-Za-z ]+)$`),
  ),
  /^(un)?priv (\d+(\.\d+)*|"[^"]+"(, [\w-]+)?)$/,
  // Rings and their doorbell pages are in no manual.
  /^our own$/,
]

interface Citation {
  readonly where: string
  readonly text: string
}

/** Citations in whatever a module exports: `rule` and `spec` of every row of every table. A field's `rule` is not one. */
function citationsIn(value: unknown, where: string, seen: Set<unknown>): readonly Citation[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return []
  seen.add(value)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const isField = 'high' in value && 'low' in value
  return entries.flatMap(([key, inner]: [unknown, unknown]) => {
    const place = `${where}.${String(key)}`
    const cites = (key === 'rule' && !isField) || key === 'spec'
    if (cites && typeof inner === 'string') return [{ where: place, text: inner }]
    return citationsIn(inner, place, seen)
  })
}

const citations: Citation[] = []
const seen = new Set<unknown>()
for (const path of readdirSync(join(ROOT, 'hw/spec'), { recursive: true, encoding: 'utf8' }).toSorted()) {
  if (!path.endsWith('.ts')) continue
  const module = (await import(join(ROOT, 'hw/spec', path))) as object
  citations.push(...citationsIn({ ...module }, path, seen))
}

test('every citation names a normative rule of the RISC-V manual, or a section of a listed source', () => {
  expect(citations.length).toBeGreaterThan(800)
  expect(citations.filter(({ text }) => !rules.has(text) && !sections.some(section => section.test(text)))).toEqual([])
})

test('every number in a price list stands below a comment that says where it is from', () => {
  const bare = sourceFiles('hw')
    .filter(({ path }) => path.startsWith('hw/time/prices'))
    .flatMap(({ path, text }) => {
      let covered = false
      return text.split('\n').flatMap((line, index) => {
        if (line === '') covered = false
        if (/^\s*(\/\/|\/?\*)/.test(line)) covered = true
        const number = /^\s*(export const \w+|const \w+|\w+)(: \w+)? ?[:=] (\{ \w+: )?\d/.test(line)
        return number && !covered ? [`${path}:${index + 1} ${line.trim()}`] : []
      })
    })
  expect(bare).toEqual([])
})
