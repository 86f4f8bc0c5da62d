/** Debian's kernel as a guest of the host: its own virtio drivers on the VMM process's devices. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MemoryBacking } from '../../../hw/devices/disk-backing.ts'
import type { HostPolicy } from '../../../hw/spec/layouts/host-policy.ts'
import { fetchedLinux } from '../../../lab/linux/debian.ts'
import { SHELL_GREETING } from '../../../lab/linux/initramfs.ts'
import { nicOnStation } from '../../../lab/network.ts'
import { hosted } from './machine.ts'

const MIB = 2 ** 20
const linux = fetchedLinux()
const missing = linux ? '' : 'run `barehart linux` first'

const policies: readonly Partial<HostPolicy>[] = [{}, { backend: 'kernel', pages: 'small' }, { form: 'switch' }]

describe.skipIf(missing)(`Linux in the hosted configuration${missing && ` (skipped: ${missing})`}`, () => {
  test.each(policies)(
    'boots on two vCPUs, reads and writes its disk, reaches the network, and switches itself off: %o',
    hostPolicy => {
      const run = hosted(
        [
          {
            kernel: readFileSync(linux!.kernel),
            initrd: readFileSync(linux!.initrd),
            memoryBytes: 128 * MIB,
            vcpus: 2,
            bootargs: 'console=ttyS0 quiet',
            disk: { first: 8192, sectors: 16384 },
            network: { mac: [2, 0, 0, 0, 0, 2], vlan: 0 },
          },
        ],
        { harts: 2, ramBytes: 320 * MIB, disks: [new MemoryBacking(32768)], nics: [nicOnStation()], hostPolicy },
      )
      const type = (text: string, expected: string) => {
        const from = run.printed().length
        run.send(`${text}\n`)
        run.run(20_000_000_000, () => run.printed().slice(from).includes(expected))
        return run.printed().slice(from)
      }
      run.run(20_000_000_000, () => run.printed().includes(SHELL_GREETING) && run.printed().includes('~ # '))
      expect(type('load virtio; nproc; echo load""ed', 'loaded')).toMatch(/^2\r$/m)
      const copied = type(
        'dd if=/dev/urandom of=/dev/vda bs=64k count=16 conv=fsync; md5sum /dev/vda; echo 3 > /proc/sys/vm/drop_caches; md5sum /dev/vda; echo cop""ied',
        'copied',
      )
      const [first, second] = [...copied.matchAll(/^([0-9a-f]{32}) /gm)].map(([, sum]) => sum)
      expect(first).toBeDefined()
      expect(second).toBe(first)
      expect(
        type('ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up; ping -c 2 10.0.0.1; echo ping""ed', 'pinged'),
      ).toContain('2 packets received')
      type('poweroff -f', 'Power down')
      run.run(500_000_000, () => run.guests[0].record.ended)
      expect(run.guests[0].record).toMatchObject({ ended: true, crashed: false })
    },
  )
})
