/** Debian's kernel with its own nvme and igb drivers, unmodified, on our disk, network card and cable. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AiaChoice, VirtBoard } from '../../hw/boards/virt.ts'
import { virt } from '../../hw/boards/virt.ts'
import { Cable } from '../../hw/devices/cable.ts'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { Station } from '../../hw/devices/station.ts'
import { build, type Machine } from '../../hw/index.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../lab/linux/initramfs.ts'
import { executorFactory } from './ours.ts'

const PROMPT = '~ # '
/** Milliseconds of the host. */
const PATIENCE = 120_000
const linux = fetchedLinux()
const mke2fs = spawnSync('mke2fs', ['-V']).status === 0
const missing = !linux ? 'run `barehart linux` first' : !mke2fs ? 'mke2fs is not installed' : ''

/** An ext4 file system with one file in it. */
function diskImage(): Uint8Array<ArrayBuffer> {
  const directory = mkdtempSync(join(tmpdir(), 'disk-'))
  try {
    const image = join(directory, 'disk')
    const files = join(directory, 'files')
    mkdirSync(files)
    writeFileSync(join(files, 'hello'), 'hello from ext4\n')
    const made = spawnSync('mke2fs', ['-q', '-t', 'ext4', '-d', files, image, '16M'], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`mke2fs: ${made.stderr}`)
    return readFileSync(image)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe.skipIf(missing).each<{ iommu: boolean; aia?: AiaChoice; how: string }>([
  { iommu: false, how: 'straight at memory' },
  { iommu: true, how: 'behind the IOMMU' },
  { iommu: false, aia: 'aplic', how: 'with an APLIC' },
  { iommu: true, aia: 'aplic-imsic', how: 'behind the IOMMU, by MSI-X' },
])(`Linux's own drivers, $how${missing && ` (skipped: ${missing})`}`, ({ iommu, aia }) => {
  let board: VirtBoard
  let machine: Machine
  let station: Station
  let disk: MemoryBacking
  let console = ''

  let seen = 0

  /** Runs until the console says something that has not been looked at yet; returns all up to its end. */
  const expectOutput = (text: string, seconds = 20): string => {
    const end = machine.now() + seconds * board.frequency
    for (;;) {
      const at = console.indexOf(text, seen)
      if (at >= 0) {
        const said = console.slice(seen, at + text.length)
        seen = at + text.length
        return said
      }
      const why = machine.run({ untilCycle: machine.now() + board.frequency / 100 })
      if (why.kind !== 'cycle' || machine.now() > end)
        throw new Error(`no "${text}" (${why.kind}) in:\n${console.slice(seen)}`)
    }
  }
  /** Types a command; returns what it says, and its exit code in brackets. */
  const type = (command: string): string => {
    board.receive(new TextEncoder().encode(`${command}; echo "[$?]"\n`))
    expectOutput('"[$?]"\r\n')
    return expectOutput(`]\r\n${PROMPT}`)
  }

  beforeAll(() => {
    disk = new MemoryBacking(0, diskImage())
    board = virt({
      ramBytes: 256 * 2 ** 20,
      iommu,
      ...(aia && { aia }),
      kernel: readFileSync(linux!.kernel),
      initrd: readFileSync(linux!.initrd),
      append: 'console=ttyS0 quiet panic=-1',
      disks: [disk],
      nics: [
        {
          connect(nic, wiring) {
            const cable: Cable = new Cable('cable', wiring.clock('cable'))
            wiring.enroll('cable', cable)
            station = new Station('station', { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] }, wiring.clock('station'))
            wiring.enroll('station', station)
            nic.connect(cable, 0)
            station.connect(cable, 1)
          },
        },
      ],
      output: bytes => {
        console += Buffer.from(bytes).toString('latin1')
      },
    })
    machine = build(board, { executor: executorFactory('tier0') })
    expectOutput(SHELL_GREETING, 60)
    expectOutput(PROMPT)
  }, PATIENCE)

  test(
    'nvme: a file system is mounted, read, written, and has kept what was written',
    () => {
      type('load nvme ext4')
      type('while [ ! -b /dev/nvme0n1 ]; do sleep 0.1; done')
      expect(type('mount /dev/nvme0n1 /mnt && cat /mnt/hello')).toContain('hello from ext4')
      expect(
        type('dd if=/dev/zero of=/mnt/zeros bs=64k count=32 conv=fsync && echo kept > /mnt/kept && umount /mnt'),
      ).toContain('[0]')
      expect(type('mount /dev/nvme0n1 /mnt && cat /mnt/kept && umount /mnt')).toContain('kept\r\n[0]')
      const sectors = new Uint8Array(disk.sectors * 512)
      disk.read(0, sectors)
      expect(Buffer.from(sectors).includes('kept\n')).toBe(true)
    },
    PATIENCE,
  )

  if (iommu) {
    test("the kernel's IOMMU driver has a context for both devices", () => {
      // RISC-V kernels do not choose translation for the DMA API: their contexts say Bare (docs/iommu.md).
      expect(type('cat /sys/kernel/iommu_groups/*/type')).toContain('identity\r\nidentity\r\n')
      if (aia === 'aplic-imsic') expect(type('dmesg | grep riscv,iommu')).toContain('using MSIs')
    })
  }

  test(
    'igb: the link comes up, and the station answers ping',
    () => {
      type('load igb')
      type('ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up')
      type('while [ "$(cat /sys/class/net/eth0/carrier)" != 1 ]; do sleep 0.1; done')
      expect(type('ping -c 3 -s 1400 10.0.0.1')).toContain('3 packets transmitted, 3 packets received, 0% packet loss')
      expect(station.counts.answered).toBeGreaterThanOrEqual(4)
      expect(type('cat /sys/class/net/eth0/statistics/rx_errors')).toContain('0\r\n[0]')
    },
    PATIENCE,
  )

  afterAll(() => {
    if (!machine) return
    board.receive(new TextEncoder().encode('poweroff -f\n'))
    machine.run({ untilCycle: machine.now() + 2 * board.frequency })
  })
})
