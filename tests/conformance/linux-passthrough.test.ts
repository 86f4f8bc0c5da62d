/** Debian's kernel as a guest of the native VMM that drives the machine's devices itself, with its own nvme, igb and igbvf, unmodified. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../lab/linux/initramfs.ts'
import { nicOnStation } from '../../lab/network.ts'
import type { SystemOptions } from '../../lab/system.ts'
import { native } from '../vmm/native/machine.ts'

const MIB = 2 ** 20
const SECTORS = 32768
/** Cycles. */
const PATIENCE = 20_000_000_000
/** Milliseconds of the host. */
const TIMEOUT = 120_000
const linux = fetchedLinux()
const missing = linux ? '' : 'run `barehart linux` first'

interface Case extends Pick<SystemOptions, 'aia' | 'placements'> {
  readonly how: string
  readonly virtualFunctions: number
  /** The network card's driver, and what /proc/interrupts says of both devices. */
  readonly driver: string
  readonly interrupts: readonly RegExp[]
}

const cases: readonly Case[] = [
  {
    how: 'nvme and igb, their wires trapped',
    placements: { disk: { at: 'guest' }, network: { at: 'guest' } },
    virtualFunctions: 0,
    driver: 'igb',
    interrupts: [/SiFive PLIC +17 .*nvme0q0, nvme0q1/, /SiFive PLIC +18 .*eth0/],
  },
  {
    how: 'nvme, and igbvf on a virtual function, by messages to its own interrupt file',
    aia: 'aplic-imsic',
    placements: {
      disk: { at: 'guest', interrupts: 'posted' },
      network: { at: 'function', interrupts: 'posted' },
    },
    virtualFunctions: 7,
    driver: 'igbvf',
    interrupts: [/PCI-MSIX-0000:00:01.0 +1 Edge +nvme0q1/, /PCI-MSIX-0000:00:02.0 +1 Edge +eth0-rx-0/],
  },
]

describe.skipIf(missing)(`Linux drives the machine's devices${missing && ` (skipped: ${missing})`}`, () => {
  test.each(cases)(
    '$how',
    ({ aia, placements, virtualFunctions, driver, interrupts }) => {
      const guest = {
        kernel: readFileSync(linux!.kernel),
        initrd: readFileSync(linux!.initrd),
        memoryBytes: 288 * MIB,
        harts: [0],
        bootargs: 'console=ttyS0 quiet',
        disk: { first: 0, sectors: SECTORS },
        network: { mac: [2, 0, 0, 0, 0, 5], vlan: 0 },
      }
      const nics = [{ ...nicOnStation(), ...(virtualFunctions > 0 && { virtualFunctions }) }]
      const run = native([guest], {
        ramBytes: 512 * MIB,
        iommu: true,
        disks: [new MemoryBacking(SECTORS)],
        nics,
        ...(placements && { placements }),
        ...(aia && { aia }),
      })
      const type = (text: string): string => {
        const from = run.printed().length
        run.send(`${text}; echo do""ne\n`)
        run.run(PATIENCE, () => run.printed().slice(from).includes('done\r\n'))
        return run.printed().slice(from)
      }
      run.run(PATIENCE, () => run.printed().includes(SHELL_GREETING) && run.printed().includes('~ # '))
      type(`load nvme ${driver}`)
      type('while [ ! -b /dev/nvme0n1 ]; do sleep 0.1; done')
      const copied = type(
        'dd if=/dev/urandom of=/dev/nvme0n1 bs=64k count=16 conv=fsync; md5sum /dev/nvme0n1; echo 3 > /proc/sys/vm/drop_caches; md5sum /dev/nvme0n1',
      )
      const [first, second] = [...copied.matchAll(/^([0-9a-f]{32}) /gm)].map(([, sum]) => sum)
      expect(first).toBeDefined()
      expect(second).toBe(first)
      expect(type('ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up; sleep 1; ping -c 2 10.0.0.1')).toContain(
        '2 packets received',
      )
      const counts = type('cat /proc/interrupts')
      for (const interrupt of interrupts) expect(counts).toMatch(interrupt)
      expect(run.system.dmaFaults!.record.faults).toBe(0)
      run.send('poweroff -f\n')
      run.run(1_000_000_000, () => run.guests[0].record.ended)
      expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false })
    },
    TIMEOUT,
  )
})
