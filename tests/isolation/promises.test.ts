/** Every promise holds for scenarios of fixed seeds, and its sentence is the documentation's. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { campaign } from '../../lab/isolation/campaign.ts'
import { PROMISES } from '../../lab/isolation/promises/index.ts'
import { findingLines } from '../../lab/isolation/show.ts'

const page = readFileSync(new URL('../../docs/isolation.md', import.meta.url), 'utf8')
const SCENARIOS = 20

test.each(PROMISES.map(promise => [promise.name, promise] as const))('%s', (name, promise) => {
  expect(page).toContain(`| ${name} | ${promise.sentence} |`)
  const { finding, exits, again } = campaign(promise, { seed: 1, runs: SCENARIOS, milliseconds: Infinity })
  expect(finding && [...findingLines(finding), again]).toBeUndefined()
  expect(exits).toBeGreaterThan(SCENARIOS)
})
