import { expect, it } from 'vitest'
import { keepPromises } from './promises.ts'

it.each([
  { at: 'vmm' },
  { at: 'server', crashes: 400 },
  { at: 'server', transfer: 'copy', crashes: 400 },
  { at: 'domain' },
  { at: 'domain', crashes: 60 },
] as const)(
  'what a flush has covered is there whenever the power goes, and what nobody promised is lost sometimes: $at, $transfer',
  ({ crashes = 0, ...disk }) => {
    const kept = keepPromises(disk, 400, crashes > 0 ? 60_000 : 20_000, crashes)
    expect(kept.broken).toBe(0)
    expect(kept.promised).toBeGreaterThan(0)
    expect(kept.lost).toBeGreaterThan(0)
    expect(kept.issued).toBeGreaterThan(50)
    if (crashes > 0) expect(kept.deaths).toBeGreaterThan(2)
  },
)
