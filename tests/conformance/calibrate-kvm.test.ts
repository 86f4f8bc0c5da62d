/** The micro guest, unmodified, under Debian's KVM and a hosted VMM on our machine: what is measured is what it says. */
import { describe, expect, test } from 'vitest'
import { calibrationDirectory, hasVmm, HOSTED_VMMS, vmmArchive } from '../../lab/calibrate/hosted-vmms.ts'
import { measureKvm } from '../../lab/calibrate/kvm.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'

/** Milliseconds of the host. */
const PATIENCE = 240_000
const TICK = 100
const NAMES = ['null-hypercall', 'mmio-user', 'irqchip-access', 'external-interrupt', 'syscall']

const linux = fetchedLinux()
const directory = process.env['BAREHART_CALIBRATE'] ?? calibrationDirectory()
const vmm = HOSTED_VMMS.find(candidate => hasVmm(directory, candidate))
const missing = !linux
  ? 'run `barehart linux` first'
  : !vmm
    ? `${directory} has none of ${HOSTED_VMMS.map(({ file }) => file).join(', ')}: docs/calibration.md`
    : ''

describe.skipIf(missing)(`Calibration with KVM${missing && ` (skipped: ${missing})`}`, () => {
  test(
    `the guest's marks agree with its clock under ${vmm?.name}, and exits to the VMM cost more than exits to the kernel`,
    () => {
      const outcomes = measureKvm(linux!, vmmArchive(directory, vmm!), vmm!, {
        name: 'short',
        harts: 1,
        vcpus: 1,
        benchmarks: NAMES,
      })
      const cycles = new Map(
        outcomes.map(outcome => {
          if ('absent' in outcome) throw new Error(`${outcome.benchmark}: ${outcome.absent}`)
          expect(Math.abs(outcome.cycles - outcome.cyclesByClock)).toBeLessThan(TICK)
          const total = outcome.ledger.reduce((sum, row) => sum + row.cycles, 0)
          expect(total).toBe(Math.round(outcome.cycles * outcome.operations))
          return [outcome.benchmark, outcome.cycles]
        }),
      )
      expect([...cycles.keys()]).toEqual(NAMES)
      expect(cycles.get('syscall')).toBeLessThan(cycles.get('null-hypercall')!)
      expect(cycles.get('null-hypercall')).toBeLessThan(cycles.get('mmio-user')!)
      expect(cycles.get('mmio-user')).toBeLessThan(cycles.get('external-interrupt')!)
    },
    PATIENCE,
  )
})
