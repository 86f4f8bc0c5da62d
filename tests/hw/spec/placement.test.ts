import { expect, test } from 'vitest'
import { decodeFdt, encodeFdt, fdtNode } from '../../../hw/spec/layouts/fdt.ts'
import {
  DEFAULT_PLACEMENT,
  type DriverPlacement,
  placementNode,
  placementsOf,
} from '../../../hw/spec/layouts/placement.ts'

const through = (chosen: Parameters<typeof fdtNode>[2]) =>
  placementsOf(decodeFdt(encodeFdt(fdtNode('', {}, [fdtNode('chosen', {}, chosen)]))))

test('placements are read from the device tree as they were written, and are the default where nothing was', () => {
  const disk: DriverPlacement = {
    at: 'guest',
    interrupts: 'posted',
    transfer: 'copy',
    service: 'adaptive',
    coalescing: 50,
    depth: 8,
    queues: 2,
    hart: 3,
  }
  expect(through([placementNode({ disk })])).toEqual({ disk, network: DEFAULT_PLACEMENT })
  expect(through([])).toEqual({ disk: DEFAULT_PLACEMENT, network: DEFAULT_PLACEMENT })
})

test('a place that there is not is refused by name', () => {
  const nowhere = fdtNode('placement', {}, [fdtNode('network', { at: 'cloud' })])
  expect(() => through([nowhere])).toThrow(/network has at "cloud": it is one of vmm, domain, server, guest, function/)
})
