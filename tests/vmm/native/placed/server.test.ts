import { describe, expect, it } from 'vitest'
import { HUNG } from '../../../../vmm/native/placed/server/vmm-side-thread.ts'
import { SERVER_TEXT } from '../../../../vmm/native/placed/server/vmm-side-messages.ts'
import { placed } from './machine.ts'

/** Of a server's text: where every message comes in. */
const RETURNED = 1
const LOAD_PAGE_FAULT = 13
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
