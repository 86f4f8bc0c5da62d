/** Two Debian kernels, unmodified, as guests of the native VMM: each with its part of the disk, and a network between them and beyond. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { MemoryBacking } from '../../hw/devices/disk-backing.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../lab/linux/initramfs.ts'
import { nicOnStation } from '../../lab/network.ts'
import { buildSystem, type System } from '../../lab/system.ts'

const MIB = 2 ** 20
const PART = 65_536
const NEXT_GUEST = '\x01'
/** Milliseconds of the host. */
const PATIENCE = 240_000
const linux = fetchedLinux()
const mke2fs = spawnSync('mke2fs', ['-V']).status === 0
const missing = !linux ? 'run `barehart linux` first' : !mke2fs ? 'mke2fs is not installed' : ''

/** An ext4 file system with one file in it. */
function fileSystem(content: string): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'disk-'))
  try {
    const image = join(directory, 'disk')
    const files = join(directory, 'files')
    mkdirSync(files)
    writeFileSync(join(files, 'hello'), content)
    const made = spawnSync('mke2fs', ['-q', '-t', 'ext4', '-d', files, image, '16M'], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`mke2fs: ${made.stderr}`)
    return readFileSync(image)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe.skipIf(missing)(`Linux guests of the native VMM${missing && ` (skipped: ${missing})`}`, () => {
  let system: System
  let said = ''
  let seen = 0

  /** Runs until this is said, after what has been looked at; returns all up to its end, without labels. */
  const expectOutput = (text: string, seconds = 30): string => {
    const { machine } = system
    const end = machine.now() + seconds * machine.board.frequency
    for (;;) {
      const at = said.indexOf(text, seen)
      if (at >= 0) {
        const all = said.slice(seen, at + text.length)
        seen = at + text.length
        return all.replaceAll(/\[g\d\] /g, '')
      }
      const why = machine.run({ untilCycle: machine.now() + machine.board.frequency / 100 })
      if (why.kind === 'stopped' || machine.now() > end)
        throw new Error(`no "${text}" (${why.kind}) in:\n${said.slice(seen)}`)
    }
  }
  /** Types a command to the guest in focus; returns what it says. */
  const type = (command: string): string => {
    system.board.receive(new TextEncoder().encode(`${command}; echo "<$?"">"\n`))
    expectOutput('">"\r\n')
    return expectOutput('>\r\n')
  }

  beforeAll(() => {
    const disk = new MemoryBacking(2 * PART)
    for (const guest of [0, 1]) disk.write(guest * PART, fileSystem(`hello from part ${guest}\n`))
    const kernel = readFileSync(linux!.kernel)
    const initrd = readFileSync(linux!.initrd)
    system = buildSystem({
      configuration: 'native',
      harts: 2,
      ramBytes: 512 * MIB,
      disks: [disk],
      nics: [nicOnStation()],
      guests: [0, 1].map(guest => ({
        label: `g${guest}`,
        kernel,
        initrd,
        memoryBytes: 128 * MIB,
        vcpus: 1,
        harts: [guest],
        weight: 256,
        cap: 0,
        bootargs: 'console=ttyS0 quiet panic=-1',
        disk: { first: guest * PART, sectors: PART },
        network: { mac: [0x52, 0x54, 0, 0, 0, guest + 1], vlan: 0 },
      })),
      output: bytes => void (said += Buffer.from(bytes).toString('latin1')),
    })
    while (said.split(SHELL_GREETING).length < 3) expectOutput(SHELL_GREETING, 60)
    system.machine.run({ untilCycle: system.machine.now() + 100_000_000 })
  }, PATIENCE)

  test(
    'each mounts its own file system over virtio, reads and writes it',
    () => {
      for (const guest of [0, 1]) {
        if (guest > 0) system.board.receive(new TextEncoder().encode(NEXT_GUEST))
        expect(type('load virtio ext4 && mount /dev/vda /mnt && cat /mnt/hello')).toContain(
          `hello from part ${guest}\r\n<0>`,
        )
        expect(
          type(`echo written by ${guest} > /mnt/new && sync && umount /mnt && mount /dev/vda /mnt && cat /mnt/new`),
        ).toContain(`written by ${guest}\r\n<0>`)
      }
      system.board.receive(new TextEncoder().encode(NEXT_GUEST))
    },
    PATIENCE,
  )

  test(
    "they ping each other through the virtual switch, and a station beyond the machine's card",
    () => {
      expect(type('ip link set eth0 up && ip addr add 10.0.0.11/24 dev eth0 && ping -c 2 10.0.0.1')).toContain(
        ' 0% packet loss',
      )
      system.board.receive(new TextEncoder().encode(NEXT_GUEST))
      expect(type('ip link set eth0 up && ip addr add 10.0.0.12/24 dev eth0 && ping -c 2 10.0.0.11')).toContain(
        ' 0% packet loss',
      )
      expect(system.guests.every(({ record }) => !record.crashed)).toBe(true)
    },
    PATIENCE,
  )
})
