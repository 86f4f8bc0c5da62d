/** What was tried, as a page: promises, exits by cause, and the branches of the VMMs that were executed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { trapName } from '../../hw/hart/causes.ts'
import { type Child, element, type Markup, raw } from '../report/markup.ts'
import { STYLE } from '../report/style.ts'
import type { FileCoverage } from './coverage.ts'
import { PROMISES } from './promises/index.ts'
import type { Outcome } from './shares.ts'
import { findingLines } from './show.ts'

const grouped = (value: number) => Math.round(value).toLocaleString('en')

function table(heads: readonly string[], rows: readonly (readonly Child[])[]): Markup {
  const cells = (name: string, row: readonly Child[]) =>
    row.map((cell, index) => element(name, index === 0 ? {} : { class: 'number' }, cell))
  return element(
    'div',
    { class: 'scroll' },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, cells('th', heads))),
      element(
        'tbody',
        {},
        rows.map(row => element('tr', {}, cells('td', row))),
      ),
    ),
  )
}

const share = (done: number, all: number) => (all === 0 ? '–' : `${((done / all) * 100).toFixed(1)} %`)

function promiseRows({ verdicts }: Outcome): readonly (readonly Child[])[] {
  return verdicts.map(({ promise, scenarios, exits, seconds, finding }) => [
    [element('strong', {}, promise), element('small', {}, PROMISES.find(({ name }) => name === promise)?.sentence)],
    finding ? 'violated' : 'held',
    grouped(scenarios),
    grouped(exits),
    grouped(exits / seconds),
  ])
}

function counterexamples({ verdicts }: Outcome): readonly Markup[] {
  return verdicts.flatMap(({ promise, finding }) =>
    finding
      ? [element('h3', {}, promise), element('pre', {}, element('code', {}, findingLines(finding).join('\n')))]
      : [],
  )
}

function coverageRows(coverage: readonly FileCoverage[]): readonly (readonly Child[])[] {
  return coverage.map(({ file, branches }) => {
    const done = branches.filter(branch => branch.done).length
    const lines = [...new Set(branches.filter(branch => !branch.done).map(({ line }) => line))]
    return [element('code', {}, file), share(done, branches.length), `${done} of ${branches.length}`, lines.join(', ')]
  })
}

/** Which part of the VMMs a file is of: what both share, the chips that guests see, either VMM, by folder. */
export function partsOf(coverage: readonly FileCoverage[]): ReadonlyMap<string, { done: number; all: number }> {
  const parts = new Map<string, { done: number; all: number }>()
  for (const { file, branches } of coverage) {
    const folders = file.split('/').slice(0, -1)
    for (const part of new Set([folders.slice(0, 2).join('/'), folders.slice(0, 3).join('/')])) {
      const sum = parts.get(part) ?? { done: 0, all: 0 }
      parts.set(part, sum)
      sum.done += branches.filter(({ done }) => done).length
      sum.all += branches.length
    }
  }
  return new Map([...parts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes `index.html` and `isolation.json`; where the page is. */
export function writeReport(folder: string, outcome: Outcome, bug: string | undefined): string {
  const { verdicts, causes, coverage } = outcome
  const branches = coverage.flatMap(({ branches: each }) => each)
  const done = branches.filter(branch => branch.done).length
  const exits = [...causes.values()].reduce((sum, times) => sum + times, 0)
  const { markup } = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('title', {}, 'Isolation'),
      element('style', {}, raw(STYLE)),
    ),
    element(
      'body',
      {},
      element('h1', {}, 'Isolation'),
      element(
        'p',
        { class: 'lead' },
        `Guests made at random, friendly and hostile, on machines that are looked at after every exit${bug === undefined ? '' : `; with the bug ${bug} planted`}.`,
      ),
      element('h2', {}, 'Promises'),
      table(['', 'verdict', 'scenarios', 'exits', 'exits a second'], promiseRows(outcome)),
      counterexamples(outcome),
      element('h2', {}, 'Exits by cause'),
      table(
        ['', 'exits', 'of all'],
        [...causes]
          .toSorted(([, a], [, b]) => b - a)
          .map(([code, times]) => [trapName(Math.abs(code), code < 0), grouped(times), share(times, exits)]),
      ),
      element('h2', {}, `Branches of vmm/: ${share(done, branches.length)}`),
      element(
        'p',
        {},
        'A branch is a function, or a block within one that V8 counted apart. The lines are those where branches begin that no scenario came to.',
      ),
      table(
        ['', 'executed', ''],
        [...partsOf(coverage)].map(([part, { done: ran, all }]) => [
          element('code', {}, part),
          share(ran, all),
          `${ran} of ${all}`,
        ]),
      ),
      table(['', 'executed', '', 'lines'], coverageRows(coverage)),
    ),
  )
  mkdirSync(folder, { recursive: true })
  const page = join(folder, 'index.html')
  writeFileSync(page, `<!doctype html>\n${markup}\n`)
  writeFileSync(
    join(folder, 'isolation.json'),
    JSON.stringify(
      {
        verdicts,
        causes: Object.fromEntries(causes),
        coverage: { done, branches: branches.length, parts: Object.fromEntries(partsOf(coverage)), files: coverage },
      },
      undefined,
      1,
    ),
  )
  return page
}
