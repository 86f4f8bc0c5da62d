import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const TOP = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/how-to-add-a-placement.md', TOP), 'utf8')

test('the page shows the placement as it is (tests/lab/place runs it)', () => {
  const shown = [...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)]
  expect(shown.map(([, path]) => path)).toEqual(['vmm/native/placed/vmm-disk.ts'])
  for (const [, path, code] of shown) expect(code).toBe(readFileSync(new URL(path ?? '', TOP), 'utf8'))
})

test('the page names only files that exist', () => {
  const prose = page.replaceAll(/^```[\s\S]*?^```$/gm, '')
  for (const [, path = ''] of prose.matchAll(/`((?:vmm|guests|lab|hw|tests|docs)\/[\w/.-]+\.(?:ts|md))`/g)) {
    expect(() => readFileSync(new URL(path, TOP))).not.toThrow()
  }
})
