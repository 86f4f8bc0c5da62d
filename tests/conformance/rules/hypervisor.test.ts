import { describe, expect, it } from 'vitest'
import { EXECUTORS, runOnOurs } from '../ours.ts'
import { ASSEMBLER, assembleImage, missingTools } from '../tools.ts'
import { LOG_AT, LOG_BYTES, readLog, rulesSource, violations } from './harness.ts'
import { HYPERVISOR_RULES } from './hypervisor.ts'

const missing = missingTools(ASSEMBLER)
const skipped = missing.length > 0

describe.skipIf(skipped).each(EXECUTORS)(`the hypervisor extension on %s${skipped ? ` (missing: ${missing.join(', ')})` : ''}`, executor => {
  const image = skipped ? new Uint8Array() : assembleImage(rulesSource(HYPERVISOR_RULES))
  const whole = new Uint8Array(LOG_AT + LOG_BYTES)
  whole.set(image)
  const logged = skipped ? [] : readLog(runOnOurs(executor, { image: whole, resultAt: LOG_AT, resultBytes: LOG_BYTES }), HYPERVISOR_RULES.length)

  it.each(HYPERVISOR_RULES.map((rule, index) => [rule.rule, rule.shows, index] as const))('%s: %s', (_, __, index) => {
    expect(violations(HYPERVISOR_RULES[index]!, logged[index] ?? [])).toEqual([])
  })
})
