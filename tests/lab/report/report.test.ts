import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stepsOf } from '../../../lab/report/figures/waterfall.ts'
import { csv } from '../../../lab/report/csv.ts'
import { reportFiles } from '../../../lab/report/index.ts'
import { escaped } from '../../../lab/report/markup.ts'
import { verdict } from '../../../lab/report/findings.ts'
import { PARTIES } from '../../../hw/spec/ledger.ts'
import { madeUp, NASTY, SEEDS } from './made-up.ts'

const VOID = new Set(['meta', 'br', 'hr'])
const files = reportFiles(madeUp())
const html = files.get('report.html')!

/** Tags that are opened and not closed, or the other way round. */
function unbalanced(markup: string): readonly string[] {
  const open: string[] = []
  const wrong: string[] = []
  for (const [, close, name = '', rest = ''] of markup.matchAll(/<(\/?)([a-z][\w-]*)((?:\s[^<>]*)?)>/gi)) {
    if (close) {
      if (open.pop() !== name) wrong.push(`</${name}>`)
    } else if (!VOID.has(name) && !rest.endsWith('/')) open.push(name)
  }
  return [...wrong, ...open]
}

/** Rows of comma-separated values (RFC 4180). */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}

test('the page is well-formed, and what comes from outside is text', () => {
  expect(unbalanced(html)).toEqual([])
  expect(html).not.toContain('<script')
  expect(html).toContain(escaped(NASTY))
})

test('the page needs nothing else: no address outside it', () => {
  expect(html).not.toMatch(/\ssrc=|@import|url\(|https?:/)
  for (const [, target] of html.matchAll(/href="([^"]*)"/g)) {
    expect(target).toMatch(/^#/)
    expect(html).toContain(`id="${target?.slice(1)}"`)
  }
})

test('under every figure stand command, seeds, configuration hash and trace hash', () => {
  const figures = html.split('<figure>').slice(1)
  expect(figures.length).toBeGreaterThanOrEqual(3 * 5)
  for (const figure of figures) {
    expect(figure).toMatch(/<code>npx barehart compare /)
    expect(figure).toMatch(/seeds? \d/)
    expect(figure).toMatch(/configuration.*trace/)
  }
})

test('what the intervals leave open is said so, and what they show is said with its size', () => {
  const summary = html.split('id="summary"')[1].split('</section>')[0]
  expect(summary).toMatch(/hosted against native<\/strong>, 3 workloads: slower in 1 \(hypercall \+\d+\.\d %\)/)
  expect(summary).toMatch(/faster in 1 \(disk-randwrite-32 −\d+\.\d %\)/)
  expect(summary).toMatch(/no difference is shown in 1 \(even\)/)
  const few = madeUp({ seeds: SEEDS.slice(0, 3) })
  expect(reportFiles(few).get('report.html')).toContain('Nothing is stated as a conclusion here')
})

test('a verdict has each workload once', () => {
  const { slower, faster, undecided, unsaid } = verdict(madeUp().study.comparisons, 'native', 'hosted')
  const names = [slower, faster, undecided, unsaid].flat().map(({ comparison }) => comparison.workload)
  expect(names.toSorted()).toEqual(['disk-randwrite-32', 'even', 'hypercall'])
})

test("a waterfall's bars join up, and the last is exactly the sum", () => {
  const cycles = fc.integer({ min: -1e12, max: 1e12 }).filter(value => value !== 0)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...PARTIES), fc.string(), cycles), { maxLength: 40 }), parts => {
      const rows = parts.map(([party, cause, value]) => ({
        party,
        cause,
        activity: 'computing' as const,
        cycles: value,
      }))
      const sum = rows.reduce((total, row) => total + row.cycles, 0)
      const steps = stepsOf({ rows, cycles: sum })
      const [bars, last] = [steps.slice(0, -1), steps.at(-1)!]
      expect([last.from, last.to]).toEqual([0, sum])
      bars.forEach((bar, index) => expect(bar.from).toBe(index === 0 ? 0 : bars[index - 1].to))
      expect(bars.at(-1)?.to ?? 0).toBe(sum)
    }),
  )
})

test('the data beside the page is what was measured, row for row', () => {
  const { study } = madeUp()
  expect(JSON.parse(files.get('report.json')!)).toEqual(JSON.parse(JSON.stringify(madeUp())))
  const [head, ...runs] = parseCsv(files.get('results.csv')!)
  expect(runs).toHaveLength(study.results.length)
  runs.forEach((cells, index) => {
    const result = study.results[index] as unknown as Record<string, unknown>
    expect(cells).toEqual(head.map(column => String(result[column])))
  })
  const rows = parseCsv(files.get('ledgers.csv')!).slice(1)
  expect(rows.some(cells => cells[5] === NASTY)).toBe(true)
  const total = study.results.reduce((sum, { cycles }) => sum + cycles, 0)
  expect(rows.reduce((sum, cells) => sum + Number(cells[7]), 0)).toBe(total)
})

test('any cell survives CSV', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1 }), rows => {
      expect(parseCsv(csv(['a', 'b'], rows))).toEqual([['a', 'b'], ...rows])
    }),
  )
})

test('folded stacks have four frames and sum to the cycles of the runs that they show', () => {
  const lines = files.get('flame/hypercall.folded')!.trimEnd().split('\n')
  const shown = lines.map(line => /^([^;]+;[^;]+;[^;]+;[^;]+) (\d+)$/.exec(line))
  expect(shown).not.toContain(null)
  for (const name of ['bare', 'native', 'hosted']) {
    const sum = shown.reduce((total, match) => total + (match?.[1].startsWith(`${name};`) ? Number(match?.[2]) : 0), 0)
    const runs = madeUp().study.results.filter(
      result => result.workload === 'hypercall' && result.configuration === name,
    )
    expect(runs.map(({ cycles }) => cycles)).toContain(sum)
  }
  expect(unbalanced(files.get('flame/hypercall.svg')!)).toEqual([])
})
