/** Every promise holds for scenarios of fixed seeds, and its sentence is the documentation's. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { campaign } from '../../lab/isolation/campaign.ts'
import { PROMISES } from '../../lab/isolation/promises/index.ts'
import { findingLines } from '../../lab/isolation/show.ts'

const page = readFileSync(new URL('../../docs/isolation.md', import.meta.url), 'utf8')
const SCENARIOS = 10
/** What these do takes long: they watch shares of a hart. */
const FEW: Readonly<Record<string, number>> = { resources: 3, containment: 5, time: 3 }

test.each(PROMISES.map(promise => [promise.name, promise] as const))('%s', (name, promise) => {
  expect(page).toContain(`| ${name} | ${promise.sentence} |`)
  const runs = FEW[name] ?? SCENARIOS
  const { finding, exits, again } = campaign(promise, { seed: 1, runs, milliseconds: Infinity })
  expect(finding && [...findingLines(finding), again]).toBeUndefined()
  expect(exits).toBeGreaterThan(runs)
})
