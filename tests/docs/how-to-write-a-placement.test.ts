import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const TOP = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, TOP), 'utf8')
const page = textOf('docs/how-to-write-a-placement.md')

test('the page shows the placement and its interface as they are (tests/vmm/native/placed runs them)', () => {
  const whole = [...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)]
  expect(whole.map(([, path]) => path)).toEqual(['vmm/native/placed/vmm-disk.ts'])
  for (const [, path = '', code] of whole) expect(code).toBe(textOf(path))
  const excerpts = [...page.matchAll(/^```ts (\S+) \(excerpt\)\n([\s\S]*?)^```$/gm)]
  expect(excerpts.map(([, path]) => path)).toEqual(['vmm/native/placed/service.ts'])
  for (const [, path = '', code = ''] of excerpts) expect(textOf(path)).toContain(code)
})

test('the pages about placements name only files that exist', () => {
  const pages = [page, textOf('docs/placements.md')].join('\n').replaceAll(/^```[\s\S]*?^```$/gm, '')
  for (const [, path = ''] of pages.matchAll(/`?((?:drivers|guests|hw|lab|tests|vmm|docs)\/[\w/.-]+\.(?:ts|md))`?/g)) {
    expect(() => textOf(path)).not.toThrow()
  }
})
