/**
 * A Linux driver domain, unmodified, under the native VMM: it has the machine's network card through the IOMMU and drives
 * it with its own igb; its bridge joins the card to two other guests, with virtio on cables.
 */
import { describe, expect, test } from 'vitest'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { nicOnStation } from '../../lab/network.ts'
import { GuestShells } from './guest-shells.ts'

/** Milliseconds of the host. */
const PATIENCE = 240_000
const linux = fetchedLinux()
const missing = linux ? '' : 'run `barehart linux` first'

describe.skipIf(missing)(`a Linux driver domain${missing && ` (skipped: ${missing})`}`, () => {
  test(
    "bridges the machine's card to two guests: they ping a station beyond it, and each other",
    () => {
      const shells = new GuestShells(
        linux!,
        [
          {
            label: 'domain',
            network: { mac: [2, 0, 0, 0, 0, 1], vlan: 0 },
            cables: [0, 1].map(cable => ({ cable, mac: [2, 0, 0, 0, 1, cable] })),
          },
          ...[0, 1].map(n => ({ label: `g${n}`, cables: [{ cable: n, mac: [2, 0, 0, 0, 2, n] }] })),
        ],
        { iommu: true, placements: { network: { at: 'guest' } }, nics: [nicOnStation()] },
      )
      const { system } = shells
      shells.type('load igb virtio bridge && brctl addbr br0')
      shells.type('for n in eth0 eth1 eth2; do brctl addif br0 $n; ip link set $n up; done; ip link set br0 up')
      shells.type('while [ "$(cat /sys/class/net/eth0/carrier)" != 1 ]; do sleep 0.02; done')
      for (const n of [0, 1]) {
        shells.next()
        shells.type(`load virtio && ip addr add 10.0.0.1${n}/24 dev eth0 && ip link set eth0 up`)
        expect(shells.type('ping -c 1 10.0.0.1')).toContain(' 0% packet loss')
      }
      expect(shells.type('ping -c 1 -s 1400 10.0.0.10')).toContain(' 0% packet loss')
      expect(system.guests.every(({ record }) => !record.crashed)).toBe(true)
      shells.next()
      // the other guests' frames came in by the domain's own card
      expect(shells.type('cat /sys/class/net/eth0/statistics/rx_packets')).toMatch(/[1-9]\d*\r\n<0>/)
    },
    PATIENCE,
  )
})
