/**
 * A Linux driver domain, unmodified, under the native VMM: it has the machine's network card through the IOMMU and drives
 * it with its own igb; its bridge joins the card to two other guests, with virtio on cables.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../lab/linux/initramfs.ts'
import { nicOnStation } from '../../lab/network.ts'
import { buildSystem, type System } from '../../lab/system.ts'

const MIB = 2 ** 20
const NEXT_GUEST = '\x01'
/** Milliseconds of the host. */
const PATIENCE = 240_000
const linux = fetchedLinux()
const missing = linux ? '' : 'run `barehart linux` first'

describe.skipIf(missing)(`a Linux driver domain${missing && ` (skipped: ${missing})`}`, () => {
  let system: System
  let said = ''
  let seen = 0

  /** Runs until this is said, after what has been looked at; returns all up to its end, without labels. */
  const expectOutput = (text: string, seconds = 60): string => {
    const { machine } = system
    const end = machine.now() + seconds * machine.board.frequency
    for (;;) {
      const at = said.indexOf(text, seen)
      if (at >= 0) {
        const all = said.slice(seen, at + text.length)
        seen = at + text.length
        return all.replaceAll(/\[\w+\] /g, '')
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
  const next = () => system.board.receive(new TextEncoder().encode(NEXT_GUEST))

  beforeAll(() => {
    const kernel = readFileSync(linux!.kernel)
    const initrd = readFileSync(linux!.initrd)
    const guest = (label: string, hart: number) => ({
      label,
      memoryBytes: 128 * MIB,
      vcpus: 1,
      harts: [hart],
      weight: 256,
      cap: 0,
      kernel,
      initrd,
      bootargs: 'console=ttyS0 quiet cma=4M panic=-1',
    })
    system = buildSystem({
      configuration: 'native',
      harts: 3,
      ramBytes: 640 * MIB,
      iommu: true,
      placements: { network: { at: 'guest' } },
      nics: [nicOnStation()],
      guests: [
        {
          ...guest('domain', 0),
          network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 },
          cables: [0, 1].map(cable => ({ cable, mac: [2, 0, 0, 0, 1, cable] })),
        },
        ...[0, 1].map(n => ({ ...guest(`g${n}`, 1 + n), cables: [{ cable: n, mac: [2, 0, 0, 0, 2, n] }] })),
      ],
      output: bytes => void (said += Buffer.from(bytes).toString('latin1')),
    })
    while (said.split(SHELL_GREETING).length < 4) expectOutput(SHELL_GREETING)
    system.machine.run({ untilCycle: system.machine.now() + 100_000_000 })
  }, PATIENCE)

  test(
    "bridges the machine's card to the other guests: they ping a station beyond it, and each other",
    () => {
      type('load igb virtio bridge && brctl addbr br0')
      type('for n in eth0 eth1 eth2; do brctl addif br0 $n; ip link set $n up; done; ip link set br0 up')
      type('while [ "$(cat /sys/class/net/eth0/carrier)" != 1 ]; do sleep 0.02; done')
      for (const n of [0, 1]) {
        next()
        type(`load virtio && ip addr add 10.0.0.1${n}/24 dev eth0 && ip link set eth0 up`)
        expect(type('ping -c 1 10.0.0.1')).toContain(' 0% packet loss')
      }
      expect(type('ping -c 1 -s 1400 10.0.0.10')).toContain(' 0% packet loss')
      expect(system.guests.every(({ record }) => !record.crashed)).toBe(true)
      next()
      // the other guests' frames came in by the domain's own card
      expect(type('cat /sys/class/net/eth0/statistics/rx_packets')).toMatch(/[1-9]\d*\r\n<0>/)
    },
    PATIENCE,
  )
})
