import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const TOP = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/how-to-write-a-property.md', TOP), 'utf8')

test('the page shows a property as it is (tests/isolation runs it)', () => {
  const shown = [...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)]
  expect(shown.map(([, path]) => path)).toEqual(['tests/isolation/own-property.test.ts'])
  for (const [, path = '', code] of shown) expect(code).toBe(readFileSync(new URL(path, TOP), 'utf8'))
})
