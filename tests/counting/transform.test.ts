import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, test } from 'vitest'
import { countedGroup } from '../../lab/counting/cache.ts'
import { countModule } from '../../lab/counting/count.ts'
import { SOFTWARE } from '../../lab/counting/groups.ts'
import { javascriptOf } from '../../lab/counting/javascript.ts'
import { ROOT } from '../../lab/counting/program.ts'
import { pathLength } from '../../hw/hart/port/path-length.ts'

const FILE = `${ROOT}vmm/core/example.ts`

/** Counts a module, runs it, and gives its exports with a way to count a call. */
function load(source: string): { readonly count: (name: string, ...parameters: unknown[]) => number } {
  const counted = stripTypeScriptTypes(countModule(source, FILE)).replace(/^import .*?; /, '')
  const names = [...source.matchAll(/export function (\w+)/g)].map(match => match[1])
  const body = `${counted.replaceAll('export ', '')}\nreturn { ${names.join(', ')} }`
  // oxlint-disable-next-line typescript/no-implied-eval
  const exports = new Function('$path', body)(pathLength) as Record<string, (...parameters: unknown[]) => unknown>
  return {
    count(name, ...parameters) {
      pathLength[0] = 0
      exports[name](...parameters)
      return pathLength[0]
    },
  }
}

const weigh = (expression: string, parameters = 'a: number, b: number'): number =>
  load(`export function f(${parameters}): unknown { return ${expression} }`).count('f', 5, 3) - RETURN
const RETURN = 1

describe('what computing weighs', () => {
  test('arithmetic is one instruction, 32 bits or 64', () => {
    expect(weigh('a + b')).toBe(1)
    expect(weigh('(a ^ b) * a')).toBe(2)
  })
  test('a division by a power of two is one shift, the remainder one mask', () => {
    expect(weigh('Math.floor(a / 4096)')).toBe(1)
    expect(weigh('a % 4096')).toBe(1)
    expect(weigh('Math.floor(a / 2 ** 32)')).toBe(1)
  })
  test('saying that a number has 32 bits is nothing', () => {
    expect(weigh('(a + b) >>> 0')).toBe(1)
    expect(weigh('(a + b) | 0')).toBe(1)
  })
  test('a mask wider than an immediate is two shifts', () => {
    expect(weigh('a & 0xff')).toBe(1)
    expect(weigh('a & 0xffff')).toBe(2)
  })
  test('a property is a load, a write a store', () => {
    const { count } = load('export function f(o: { a: number; b: number }): void { o.a = o.b + 1 }')
    expect(count('f', { a: 0, b: 0 })).toBe(3 + RETURN)
  })
  test('only what ran is counted', () => {
    const { count } = load('export function f(a: number): number { if (a > 0) return 1; return a * a * a * a + a }')
    expect(count('f', 1)).toBe(1 + 1 + RETURN)
    expect(count('f', 0)).toBe(1 + 4 + RETURN)
  })
  test('a loop counts each turn', () => {
    const { count } = load(
      'export function f(n: number): number { let s = 0; for (let i = 0; i < n; i++) s += i; return s }',
    )
    expect(count('f', 10) - count('f', 9)).toBe(3)
  })
  test('a function with one caller in its file costs no call', () => {
    const { count } = load(
      'function g(a: number): number { return a + 1 }\nexport function f(a: number): number { return g(a) }',
    )
    expect(count('f', 1)).toBe(1 + RETURN)
  })
})

describe('the port', () => {
  const head = "import type { HartPort } from '../../hw/port.ts'\n"
  test('operations are priced by the machine, and fold a constant offset; accounts weigh nothing, arguments included', () => {
    const { count } = load(
      `${head}export function f(port: HartPort, a: number): void { port.account('vmm', 'x', a > 2 ? 'walk' : 'copy'); port.load32(a + 8) }`,
    )
    expect(count('f', { account: () => {}, load32: () => 0 }, 4)).toBe(RETURN)
  })
})

describe('what cannot be counted is an error that names the place', () => {
  for (const [what, body] of Object.entries({
    'is of type any': 'const b = JSON.parse("1"); return b.c',
    'string building': 'return `x${a}`',
    spread: 'return [...[a]]',
    bigint: 'return 1n',
    'exceptions as control flow': 'try { return a } catch { return 0 }',
    'has no weight': 'return [a, a].reduce((s, x) => s + x)',
    'iteration over what is no array': 'for (const x of new Map([[a, a]])) return x[0]; return 0',
    getter: 'const c = new Counter(); return c.b',
  })) {
    test(what, () => {
      expect(() =>
        countModule(
          `class Counter { get b(): number { return 1 } }; export function f(a: number): unknown {\n${body} }`,
          FILE,
        ),
      ).toThrow(new RegExp(`vmm/core/example.ts:2: .*${what}`))
    })
  }
})

test('code that only sets software up is not counted, and may do as it likes', () => {
  const source =
    'export function make(names: string[]): () => number { const all = names.map(n => `${n}!`).join(); return () => all.length + 1 }'
  const counted = countModule(source, FILE)
  expect(counted.match(/\$path\[0\]/g)?.length).toBe(1)
})

test('lines stay where they were', () => {
  const source = 'export function f(a: number): number {\n  if (a > 0) return 1\n  return a\n}\n'
  expect(countModule(source, FILE).split('\n').length).toBe(source.split('\n').length)
})

test('what is counted where several counts meet is still a program', () => {
  const { count } = load(
    'export function f(a: Int32Array, b: number): void { if (b > 0) a.fill(b > 1 ? b * b * b * b : b)\n a.fill(0) }',
  )
  expect(count('f', new Int32Array(10), 2) - count('f', new Int32Array(5), 2)).toBe(2 * 5 * 3)
})

test('all of vmm/, drivers/ and guests/ can be counted, and is a program afterwards', () => {
  const files = Object.values(countedGroup(SOFTWARE))
  expect(files.flatMap(file => file.faults)).toEqual([])
  for (const { text } of files) stripTypeScriptTypes(text)
})

test('what is packed is JavaScript with the count in it', () => {
  const text = javascriptOf('drivers/virtqueue.ts')
  expect(text).toContain("import { pathLength as $path } from '../hw/hart/port/path-length.js'")
  expect(text).toContain('$path[0] +=')
  expect(text).not.toMatch(/from '[^']*\.ts'/)
  expect(javascriptOf('hw/machine.ts')).not.toContain('$path')
})
