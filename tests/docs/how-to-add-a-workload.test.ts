import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const TOP = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/how-to-add-a-workload.md', TOP), 'utf8')
const sourceOf = (path: string) => readFileSync(new URL(path, TOP), 'utf8')

test('the page shows a workload and its test as they are (tests/guests runs them)', () => {
  const shown = [...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)]
  expect(shown.map(([, path]) => path)).toEqual(['guests/workloads/hypercall.ts', 'tests/guests/hypercall.test.ts'])
  for (const [, path = '', code] of shown) expect(code).toBe(sourceOf(path))
})

test('its excerpts stand in the files that they name', () => {
  const excerpts = [...page.matchAll(/^```ts (\S+) \(excerpt\)\n([\s\S]*?)^```$/gm)]
  expect(excerpts).toHaveLength(3)
  for (const [, path = '', code] of excerpts) expect(sourceOf(path)).toContain(code)
})

test('the page names only files that exist', () => {
  const prose = page.replaceAll(/^```[\s\S]*?^```$/gm, '')
  for (const [, path = ''] of prose.matchAll(/`?((?:guests|drivers|hw|tests|docs)\/[\w/.-]+\.(?:ts|md))`?/g)) {
    expect(() => sourceOf(path)).not.toThrow()
  }
})
