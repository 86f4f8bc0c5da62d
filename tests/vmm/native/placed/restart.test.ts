import { describe, expect, it } from 'vitest'
import { diskDomainImage } from '../../../../guests/driver-domain/disk-domain.ts'
import type { NvmeController } from '../../../../hw/devices/nvme/nvme-controller.ts'
import { networkUser } from '../../../../guests/witnesses/network-user.ts'
import type { HartPort } from '../../../../hw/port.ts'
import { sie } from '../../../../hw/spec/csrs/supervisor.ts'
import { DEFAULT_PLACEMENT } from '../../../../hw/spec/layouts/placement.ts'
import { RING_PAGES } from '../../../../hw/spec/layouts/ring.ts'
import type { SystemGuest } from '../../../../lab/system.ts'
import { placed } from './machine.ts'

/** Of a scripted guest: where its task is called. */
const WORK = 3
/** Requests of a domain's first guest. */
const MANY = 300
/** Nothing is there in a guest. */
const NOWHERE = 0x10
/** A hung one is found within two seconds, and its device has 100 ms for its reset. */
const PATIENCE = 2_400_000_000
const DOMAIN = 'domain 1'
/** Cycles. */
const STEP = 10_000_000

type Failure = 'crashes' | 'sleeps for good'

/** A domain goes wrong in its task. */
function fail(port: HartPort, what: Failure): void {
  if (what === 'crashes') port.load32(NOWHERE)
  else port.write(sie, 0)
  port.jump(diskDomainImage(DEFAULT_PLACEMENT).symbols.get('idle')!)
}

/** A guest that has frames echoed until the test has seen enough. */
function echoing({ software, program }: ReturnType<typeof networkUser>): SystemGuest {
  return {
    label: 'user',
    memoryBytes: 32 * 2 ** 20,
    vcpus: 1,
    harts: [0],
    weight: 256,
    cap: 0,
    bootargs: '',
    kernel: program.bytes,
    network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 },
    scripted: { software, program },
  }
}

describe('A driver domain that', () => {
  it.each([
    { what: 'crashes', transfer: 'map', harts: 1 },
    { what: 'crashes', transfer: 'copy', harts: 2, hart: 1 },
    { what: 'sleeps for good', transfer: 'map', harts: 2, hart: 1 },
  ] as const)(
    '$what begins anew, and its guest notices a delay: $transfer, hart $hart',
    ({ what, harts, ...choice }) => {
      const run = placed('disk', { disk: { at: 'domain', ...choice } }, { iommu: true, harts })
      const taken = run.record('disk domain', 'taken')
      run.intercept('disk domain', WORK, port => {
        if (taken[0] < MANY || run.record('native', DOMAIN)['restarts'] > 0) return false
        fail(port, what)
        return true
      })
      expect(run.finish(PATIENCE)).toBe(true)
      expect(run.record('native', DOMAIN)).toMatchObject({ restarts: 1 })
      expect(run.mapped('disk')).toBe(RING_PAGES)
      expect(run.system.dmaFaults?.record.faults).toBe(0)
    },
  )

  it('has the network card loses what was under way, and nothing else', () => {
    const user = networkUser(0, 1, true)
    const run = placed('network', { network: { at: 'domain' } }, { iommu: true, guests: [echoing(user)] })
    const state = user.software.state['user'] as { echoed: number; wrong: number }
    const life = run.record('native', DOMAIN)
    const taken = run.record('network domain', 'taken')
    run.intercept('network domain', WORK, port => {
      if (taken[0] < MANY || life['restarts'] > 0) return false
      fail(port, 'crashes')
      return true
    })
    const { machine } = run.system
    while (life['restarts'] === 0 && machine.now() < PATIENCE) machine.run({ untilCycle: machine.now() + STEP })
    const before = state.echoed
    expect(before).toBeGreaterThan(50)
    machine.run({ untilCycle: machine.now() + STEP })
    expect(state.echoed).toBeGreaterThan(before + 50)
    expect(state.wrong).toBe(0)
  })

  it('crashes again and again without doing anything is given up: its guest gets errors, and goes on', () => {
    const run = placed('disk', { disk: { at: 'domain' } }, { iommu: true })
    const taken = run.record('disk domain', 'taken')
    run.intercept('disk domain', WORK, port => {
      if (run.record('native', DOMAIN)['restarts'] === 0 && taken[0] < MANY) return false
      fail(port, 'crashes')
      return true
    })
    expect(run.finish(PATIENCE)).toBe(false)
    expect(run.record('native', DOMAIN)).toMatchObject({ restarts: 3, lives: 0 })
    expect(run.mapped('disk')).toBe(0)
    expect(run.system.domains[0].record).toMatchObject({ ended: true, exitCode: 1 })
    expect(run.system.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 1 })
  })
})

it('A driver domain whose disk is pulled out is given up, and its guest gets errors', () => {
  const disks: NvmeController[] = []
  const plugged = (disk: NvmeController): void => void disks.push(disk)
  const run = placed('disk', { disk: { at: 'domain' } }, { iommu: true, plugged })
  const { machine, guests } = run.system
  expect(machine.run({ marks: true, untilCycle: PATIENCE })).toMatchObject({ kind: 'mark', mark: 'start' })
  disks[0].function.remove()
  expect(run.finish(PATIENCE)).toBe(false)
  expect(guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 1 })
})
