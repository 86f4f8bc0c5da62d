import { describe, expect, it } from 'vitest'
import { HUNG, MUTE } from '../../../../vmm/native/placed/server/vmm-side-thread.ts'
import {
  FLAG_MASKED,
  FLAG_READY,
  MAXIMUM_SHIFT,
  SERVER_TEXT,
} from '../../../../vmm/native/placed/server/vmm-side-messages.ts'
import { A0, A1, A2 } from '../../../../hw/spec/sbi.ts'
import { placed } from './machine.ts'

/** Of a server's text: where every message comes in. */
const RETURNED = 1
const LOAD_PAGE_FAULT = 13
/** Cycles: it is found within 0.25 s. */
const PATIENCE = 800_000_000
/** Where the native VMM lies, and somewhere within its first guest's RAM. */
const VMM = 0x8020_0000
const GUESTS = 0x8500_0000

describe('A driver in a user-mode server', () => {
  it.each([
    { device: 'disk', iommu: true, transfer: 'map' },
    { device: 'disk', iommu: false, transfer: 'copy', hart: 1 },
    { device: 'network', iommu: true, transfer: 'map', hart: 1 },
    { device: 'network', iommu: true, transfer: 'copy' },
  ] as const)('serves a guest: $device, $transfer, hart $hart, IOMMU $iommu', ({ device, iommu, ...choice }) => {
    const run = placed(device, { [device]: { at: 'server', ...choice } }, { iommu, harts: 2 })
    expect(run.finish()).toBe(true)
    expect(run.system.dmaFaults?.record.faults ?? 0).toBe(0)
  })

  it.each([
    { what: 'the VMM', address: VMM },
    { what: 'guests', address: GUESTS },
  ])(
    'does not reach $what, and is killed for trying; another takes over, and its guest does not notice',
    ({ address }) => {
      const run = placed('disk', { disk: { at: 'server' } }, { iommu: true })
      let calls = 0
      run.intercept('disk server', RETURNED, port => {
        calls++
        if (calls === 200) port.load32(address)
        return false
      })
      expect(run.finish()).toBe(true)
      expect(run.record('native', 'server disk')).toMatchObject({ deaths: 1, cause: LOAD_PAGE_FAULT, address })
    },
  )

  it('is killed if it does not come back, and what it had is done by another', () => {
    const run = placed('disk', { disk: { at: 'server' } }, { iommu: true })
    const back = SERVER_TEXT + 16
    let calls = 0
    run.intercept('disk server', RETURNED, port => {
      if (run.record('native', 'server disk')['deaths'] === 1) return false
      calls++
      if (calls < 200) return false
      port.jump(back)
      return true
    })
    expect(run.finish()).toBe(true)
    expect(run.record('native', 'server disk')).toMatchObject({ deaths: 1, cause: HUNG })
  })

  it('is killed if it waits and does not answer, and what it had is done by another', () => {
    const run = placed('disk', { disk: { at: 'server' } }, { iommu: true })
    run.intercept('disk server', RETURNED, port => {
      if (run.record('native', 'server disk')['deaths'] === 1) return false
      if (run.record('native', 'served disk queue')['next'] < 100) return false
      // It is ready, has nothing to say, and wants not to be woken.
      port.setX(A0, -1)
      port.setX(A1, FLAG_READY | FLAG_MASKED | (64 << MAXIMUM_SHIFT))
      port.setX(A2, 0)
      port.ecall(SERVER_TEXT + 16)
      return true
    })
    expect(run.finish(PATIENCE)).toBe(true)
    expect(run.record('native', 'server disk')).toMatchObject({ deaths: 1, cause: MUTE })
  })

  it('that dies again and again without doing anything is given up: its guest gets errors, and goes on', () => {
    const run = placed('disk', { disk: { at: 'server' } }, { iommu: true })
    let calls = 0
    run.intercept('disk server', RETURNED, port => {
      calls++
      if (calls > 200) port.load32(VMM)
      return false
    })
    expect(run.finish()).toBe(false)
    expect(run.record('native', 'server disk')['deaths']).toBe(4)
    expect(run.system.guests[0].record).toMatchObject({ ended: true, crashed: false, exitCode: 1 })
  })

  it('may have a hart of its own, which no vCPU is pinned to', () => {
    expect(() => placed('disk', { disk: { at: 'server', hart: 0 } }, { harts: 2 })).toThrow('pin it to another')
    expect(() => placed('disk', { disk: { at: 'server', hart: 2 } }, { harts: 2 })).toThrow('there are 2')
  })
})
