import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bugOf } from '../../lab/isolation/bugs/index.ts'
import { hunt } from '../../lab/isolation/bugs/hunt.ts'

const TOP = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/how-to-plant-a-bug.md', TOP), 'utf8')

test('its excerpt stands in the file that it names', () => {
  const excerpts = [...page.matchAll(/^```ts (\S+) \(excerpt\)\n([\s\S]*?)^```$/gm)]
  expect(excerpts).toHaveLength(1)
  for (const [, path = '', code] of excerpts) expect(readFileSync(new URL(path, TOP), 'utf8')).toContain(code)
})

test('the bug that it shows is caught by the promise that it names', async () => {
  const [, name = '', promise = ''] = /isolate --bug (\S+) --promise (\S+)/.exec(page) ?? []
  const bug = bugOf(name)
  expect(bug.promise).toBe(promise)
  expect(await hunt(bug, bug.seed, bug.seed, Infinity)).toBeDefined()
})

test('the page names only files that exist', () => {
  for (const [, path = ''] of page.matchAll(/`((?:lab|tests|docs)\/[\w/.-]+\.(?:ts|md))`/g))
    expect(existsSync(new URL(path, TOP))).toBe(true)
})
