/** Debian's kernel with its own igb and igbvf, unmodified: virtual functions on both ports of one card, behind the IOMMU if the kernel knows it. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { Cable } from '../../hw/devices/cable.ts'
import { Station } from '../../hw/devices/station.ts'
import { LinuxConsole } from '../../lab/linux/console.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'

const MIB = 2 ** 20
/** Milliseconds of the host. */
const PATIENCE = 120_000
const linux = fetchedLinux()
/** From 6.13 on. */
const knowsIommu = linux !== undefined && readFileSync(linux.kernel).includes('riscv,iommu')
const missing = linux ? '' : 'run `barehart linux` first'

describe.skipIf(missing)(`Linux's own igbvf${missing && ` (skipped: ${missing})`}`, () => {
  let shell: LinuxConsole
  const stations: Station[] = []
  /** Datagrams on each cable that are from one of the card's own to another. */
  const strays = [0, 0]

  beforeAll(() => {
    shell = new LinuxConsole({
      images: linux!,
      harts: 1,
      ramBytes: 256 * MIB,
      aia: 'aplic-imsic',
      iommu: knowsIommu,
      nics: [
        {
          ports: 2,
          virtualFunctions: 7,
          connect(nic, wiring, port) {
            const cable = new Cable(`cable ${port}`, wiring.clock(`cable ${port}`))
            wiring.enroll(`cable ${port}`, cable)
            const name = `station ${port}`
            stations[port] = new Station(name, { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, port, 1] }, wiring.clock(name))
            wiring.enroll(name, stations[port])
            nic.connect(cable, 0)
            cable.onFrame((_cycle, _from, frame) => {
              const isDatagram = frame[12] === 0x08 && frame[13] === 0x00
              if (isDatagram && frame[29] !== 1 && frame[33] !== 1 && frame[30] === 10) strays[port]++
            })
            stations[port].connect(cable, 1)
          },
        },
      ],
    })
  }, PATIENCE)

  test(
    'virtual functions of two ports appear, get a link, reach their cables, and each other through the switch of their card',
    () => {
      // an initramfs of an older `barehart linux` has no igbvf: run it again
      shell.must('ls /lib/modules/igbvf.ko')
      shell.must('load igb; for n in 0 1; do ip addr add 10.0.$n.2/24 dev eth$n; ip link set eth$n up; done')
      shell.must('for n in 0 1; do while [ "$(cat /sys/class/net/eth$n/carrier)" != 1 ]; do sleep 0.1; done; done')
      shell.must('for n in 0 1; do echo 2 >/sys/bus/pci/devices/0000:00:01.$n/sriov_numvfs; done')
      expect(shell.must('ls /sys/bus/pci/devices | grep -c 0000:01:11')).toContain('4')
      shell.must('load igbvf')
      if (knowsIommu) expect(shell.must('cat /sys/kernel/iommu_groups/*/type | wc -l')).toContain('7')
      const names = (port: number) => [0, 2].map(n => `$(basename /sys/bus/pci/devices/0000:01:11.${n + port}/net/*)`)
      // each in a network namespace of its own, or the kernel would not use the card between its own addresses
      for (const port of [0, 1]) {
        for (const [index, name] of names(port).entries()) {
          shell.must(`busybox unshare -n sleep 1000 & sleep 0.1; P=$!; N=${name}; ip link set $N netns $P`)
          shell.must(
            `IN${port}${index}="busybox nsenter -t $P -n"; $IN${port}${index} ip addr add 10.0.${port}.${3 + index}/24 dev $N`,
          )
          shell.must(`$IN${port}${index} ip link set $N up`)
        }
      }
      shell.must('sleep 0.5')
      for (const port of [0, 1]) {
        const answered = stations[port].counts.answered
        for (const [index, to] of [
          [0, 1],
          [1, 1],
          [0, 2],
          [1, 3],
        ] as const)
          expect(shell.must(`$IN${port}${index} ping -c 2 -s 1400 10.0.${port}.${to}`)).toContain(' 0% packet loss')
        expect(stations[port].counts.answered).toBeGreaterThanOrEqual(answered + 6)
        expect(shell.must(`$IN${port}0 ping -c 2 10.0.${port}.4`)).toContain(' 0% packet loss')
        expect(strays[port]).toBe(0)
      }
    },
    PATIENCE,
  )
})
