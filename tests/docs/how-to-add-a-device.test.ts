import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const TOP = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/how-to-add-a-device.md', TOP), 'utf8')

test('the page shows the table and the chip as they are (tests/hw/devices runs them)', () => {
  const shown = [...page.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)]
  expect(shown.map(([, path]) => path)).toEqual(['hw/spec/devices/rtc.ts', 'hw/devices/rtc.ts'])
  for (const [, path, code] of shown) expect(code).toBe(readFileSync(new URL(path ?? '', TOP), 'utf8'))
})

test('the page names only files that exist', () => {
  const prose = page.replaceAll(/^```[\s\S]*?^```$/gm, '')
  for (const [, path = ''] of prose.matchAll(/`?((?:drivers|hw|tests|docs)\/[\w/.-]+\.(?:ts|md))`?/g)) {
    expect(() => readFileSync(new URL(path, TOP))).not.toThrow()
  }
})
