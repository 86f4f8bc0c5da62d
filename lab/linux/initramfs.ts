/** A small initramfs: busybox, chosen kernel modules, and an init that ends in a shell on the console. */
import { gzipSync } from 'node:zlib'
import { type CpioEntry, cpio } from './cpio.ts'
import type { Module } from './modules.ts'

/** What the shell says first, so that whoever waits for it knows. */
export const SHELL_GREETING = 'barehart: shell'

const APPLETS =
  'sh mount umount insmod lsmod ls cat echo dmesg ip ping sleep poweroff reboot uname free ifconfig dd sync mkdir head tail grep wc md5sum hexdump stty setsid cttyhack cmp nc udhcpc ln basename seq brctl arping'

const INIT = `#!/bin/sh
export PATH=/bin PS1='~ # '
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo "${SHELL_GREETING} on $(uname -r)"
cd /
exec setsid cttyhack sh
`

const LOAD = `#!/bin/sh
# load SET...: inserts the modules of these sets, in order
for set in "$@"; do while read -r module; do insmod "/lib/modules/$module.ko" 2>/dev/null; done <"/lib/modules/$set.list"; done
`

/** `sets` names groups of modules that \`load NAME\` inserts. */
export function initramfs(busybox: Uint8Array, sets: Readonly<Record<string, readonly Module[]>>): Buffer {
  const entries: CpioEntry[] = ['bin', 'dev', 'etc', 'lib', 'lib/modules', 'mnt', 'proc', 'root', 'sys', 'tmp'].map(
    path => ({
      path,
      kind: 'directory',
    }),
  )
  const file = (path: string, data: Uint8Array | string, executable = false) =>
    entries.push({ path, kind: 'file', data: typeof data === 'string' ? Buffer.from(data) : data, executable })
  file('bin/busybox', busybox, true)
  for (const applet of APPLETS.split(' ')) entries.push({ path: `bin/${applet}`, kind: 'link', target: 'busybox' })
  file('bin/load', LOAD, true)
  file('init', INIT, true)
  const written = new Set<string>()
  for (const [set, modules] of Object.entries(sets)) {
    file(`lib/modules/${set}.list`, `${modules.map(module => module.name).join('\n')}\n`)
    for (const module of modules) {
      if (written.has(module.name)) continue
      written.add(module.name)
      file(`lib/modules/${module.name}.ko`, module.data)
    }
  }
  return gzipSync(cpio(entries), { level: 9 })
}
