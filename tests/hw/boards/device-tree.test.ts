import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type VirtTree, virtDeviceTree } from '../../../hw/boards/device-tree.ts'
import {
  decodeFdt,
  encodeFdt,
  fdtCells,
  fdtCompatible,
  fdtFind,
  fdtNode,
  fdtRanges,
  fdtStrings,
} from '../../../hw/spec/layouts/fdt.ts'
import { QEMU, missingTools, withScratch } from '../../conformance/tools.ts'

const options: VirtTree = {
  harts: 2,
  ramBytes: 0x1000_0000,
  extensions: ['zicbom', 'zicboz', 'zicsr', 'sstc'],
  mmu: 'sv57',
  timebase: 10_000_000,
  bootargs: 'console=ttyS0',
  initrd: { start: 0x8800_0000, end: 0x8800_1234 },
  firmware: { address: 0x8000_0000, bytes: 0x1_0000 },
  iommu: true,
  seed: 1,
}

/** What dtc complains of in a tree. */
function complaints(tree: Uint8Array): string {
  return withScratch(folder => {
    writeFileSync(join(folder, 'tree.dtb'), tree)
    return spawnSync('dtc', ['-I', 'dtb', '-O', 'dts', join(folder, 'tree.dtb')], { encoding: 'utf8' }).stderr
  })
}

describe('flattened device tree', () => {
  test('DT 5: what is encoded is decoded again, byte for byte', () => {
    const tree = virtDeviceTree(options)
    const { root, reservations, bootHart } = decodeFdt(tree)
    expect(encodeFdt(root, reservations, bootHart)).toEqual(tree)
    const reserved = encodeFdt(fdtNode('', {}), [{ address: 0x1_8000_0000, bytes: 0x1000 }], 3)
    expect(decodeFdt(reserved)).toMatchObject({
      reservations: [{ address: 0x1_8000_0000, bytes: 0x1000 }],
      bootHart: 3,
    })
  })

  test('nodes are found by path and by compatible', () => {
    const { root } = decodeFdt(virtDeviceTree(options))
    const serial = fdtFind(root, '/soc/serial')
    expect(serial && fdtRanges(serial, 'reg')).toEqual([{ address: 0x1000_0000, bytes: 0x100 }])
    expect(serial && fdtCells(serial, 'interrupts')).toEqual([10])
    expect(fdtCompatible(root, 'virtio,mmio')).toHaveLength(8)
    const chosen = fdtFind(root, 'chosen')
    expect(chosen && fdtStrings(chosen, 'bootargs')).toEqual(['console=ttyS0'])
    expect(fdtFind(root, '/soc/nothing')).toBeUndefined()
  })

  test('what is no tree is refused in one line', () => {
    expect(() => decodeFdt(new Uint8Array(64))).toThrow('not a device tree: it does not begin with d00dfeed')
    expect(() => decodeFdt(virtDeviceTree(options).subarray(0, 100))).toThrow(
      /device tree is cut off: 100 of \d+ bytes/,
    )
  })
})

const absent = missingTools('dtc', QEMU)
describe.skipIf(absent.length > 0)(
  `board virt's tree against dtc and QEMU${absent.length > 0 ? ` (missing: ${absent.join(', ')})` : ''}`,
  () => {
    test('dtc accepts it without a warning', () => {
      expect(complaints(virtDeviceTree(options))).toBe('')
    })

    test('every chip of ours is where QEMU has it, on the same interrupt', () => {
      const theirs = withScratch(folder => {
        spawnSync(QEMU, ['-M', `virt,dumpdtb=${join(folder, 'tree.dtb')}`, '-smp', '2', '-m', '256M'])
        return readFileSync(join(folder, 'tree.dtb'))
      })
      const [ours, other] = [decodeFdt(virtDeviceTree(options)).root, decodeFdt(theirs).root]
      for (const compatible of [
        'sifive,test1',
        'google,goldfish-rtc',
        'sifive,clint0',
        'sifive,plic-1.0.0',
        'ns16550a',
        'virtio,mmio',
        'pci-host-ecam-generic',
      ]) {
        const where = (root: typeof ours) =>
          fdtCompatible(root, compatible)
            .map(node => ({
              reg: fdtRanges(node, 'reg'),
              interrupts: fdtCells(node, 'interrupts'),
              ranges: fdtCells(node, 'ranges'),
            }))
            .sort((a, b) => (a.reg[0]?.address ?? 0) - (b.reg[0]?.address ?? 0))
        expect(where(ours), compatible).toEqual(where(other))
      }
    })
  },
)
