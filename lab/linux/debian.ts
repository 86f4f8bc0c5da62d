/** Debian's own riscv64 kernel and busybox, unmodified, as files that `boot` and `run` take. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { UserError } from '../user-error.ts'
import { ForeignApt } from './apt.ts'
import { initramfs } from './initramfs.ts'
import { modulesFor } from './modules.ts'

export interface LinuxImages {
  readonly kernel: string
  readonly initrd: string
}

/** Where fetched images are kept unless told otherwise. */
export function linuxDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'barehart', 'linux')
}

/** The images in a folder, or undefined if they have not been fetched. */
export function fetchedLinux(directory: string = linuxDirectory()): LinuxImages | undefined {
  const images = { kernel: join(directory, 'Image'), initrd: join(directory, 'initrd') }
  return existsSync(images.kernel) && existsSync(images.initrd) ? images : undefined
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map(name => join(directory, name))
}

/** The Image in an unpacked kernel package; gzipped ones are unpacked. */
function kernelImage(tree: string): Buffer {
  for (const path of filesBelow(tree).filter(name => /\/vmlinu[xz][^/]*$/.test(name))) {
    const raw = readFileSync(path)
    const image = raw.readUInt16BE(0) === 0x1f8b ? gunzipSync(raw) : raw
    if (image.toString('latin1', 0x38, 0x3c) === 'RSC\x05') return image
  }
  throw new UserError(`the kernel package holds no RISC-V Image; give one with --kernel`)
}

/** Fetches kernel, busybox and modules of a Debian suite into `directory`, which is created. Takes a minute. */
export async function fetchLinux(
  suite: string,
  directory: string,
  progress: (line: string) => void,
): Promise<LinuxImages> {
  const scratch = mkdtempSync(join(tmpdir(), 'barehart-linux-'))
  try {
    const apt = new ForeignApt(scratch, suite, 'riscv64')
    progress(`reading the package lists of Debian ${suite}`)
    apt.update()
    const kernel = apt.depends('linux-image-riscv64').find(name => /^linux-image-\d/.test(name))
    if (!kernel) throw new UserError(`Debian ${suite} has no linux-image-riscv64; try --suite forky`)
    const parts = [kernel, ...apt.depends(kernel).filter(name => /^linux-(binary|modules)-/.test(name))]
    progress(`downloading ${parts.join(', ')} and busybox-static`)
    const tree = apt.unpack([...parts, 'busybox-static'])
    const busybox = filesBelow(tree).find(name => name.endsWith('/bin/busybox'))
    if (!busybox) throw new UserError(`busybox-static of Debian ${suite} holds no busybox; give an --initrd`)
    progress('making the initramfs')
    const sets = {
      nvme: await modulesFor(tree, ['nvme']),
      igb: await modulesFor(tree, ['igb']),
      igbvf: await modulesFor(tree, ['igbvf']),
      bridge: await modulesFor(tree, ['bridge']),
      virtio: await modulesFor(tree, ['virtio_mmio', 'virtio_blk', 'virtio_net', 'virtio_console']),
      ext4: await modulesFor(tree, ['ext4']),
      kvm: await modulesFor(tree, ['kvm']),
    }
    mkdirSync(directory, { recursive: true })
    const images = { kernel: join(directory, 'Image'), initrd: join(directory, 'initrd') }
    writeFileSync(images.kernel, kernelImage(tree))
    writeFileSync(images.initrd, initramfs(readFileSync(busybox), sets))
    return images
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
