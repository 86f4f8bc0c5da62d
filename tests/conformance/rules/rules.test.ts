import { describe, expect, it } from 'vitest'
import { EXECUTORS, runOnOurs } from '../ours.ts'
import { assembleImage } from '../tools.ts'
import { LOG_AT, LOG_BYTES, readLog, rulesSource, violations } from './harness.ts'
import { CACHE_BLOCK_RULES } from './cache-blocks.ts'
import { HYPERVISOR_RULES } from './hypervisor.ts'
import { TIMER_RULES } from './timers.ts'

const RULES = [...HYPERVISOR_RULES, ...CACHE_BLOCK_RULES, ...TIMER_RULES]

describe.each(EXECUTORS)('the privileged manual on %s', executor => {
  const image = assembleImage(rulesSource(RULES))
  const whole = new Uint8Array(LOG_AT + LOG_BYTES)
  whole.set(image)
  const logged = readLog(runOnOurs(executor, { image: whole, resultAt: LOG_AT, resultBytes: LOG_BYTES }), RULES.length)

  it.each(RULES.map((rule, index) => [rule.rule, rule.shows, index] as const))('%s: %s', (_, __, index) => {
    expect(violations(RULES[index], logged[index] ?? [])).toEqual([])
  })
})
