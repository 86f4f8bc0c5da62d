/** Hosted VMMs of others that run on Debian's KVM on our machine, and how they are told to run the micro guest. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { microImage } from '../../guests/micro/index.ts'
import { cpio, type CpioEntry } from '../linux/cpio.ts'
import { QEMU_ARCHIVE } from '../linux/vmm.ts'
import { UserError } from '../user-error.ts'

export interface GuestRun {
  readonly vcpus: number
  /** MiB. */
  readonly memory: number
  readonly bootargs: string
  readonly disk: boolean
}

export interface HostedVmm {
  readonly name: 'kvmtool' | 'qemu'
  /** The file below the folder of images. */
  readonly file: string
  /** What the file is, and what it begins with. */
  readonly format: string
  readonly begins: string
  /** The shell command. */
  command(run: GuestRun): string
}

const GUEST = 'micro'
const DISK = 'disk'
const DISK_BYTES = 2 ** 20

export const HOSTED_VMMS: readonly HostedVmm[] = [
  {
    name: 'kvmtool',
    file: 'lkvm',
    format: 'a static riscv64 program',
    begins: '\x7fELF',
    command: ({ vcpus, memory, bootargs, disk }) =>
      `lkvm run -c ${vcpus} -m ${memory} -k /${GUEST} -p "${bootargs}" --console serial --virtio-transport mmio --network mode=none${disk ? ` --disk /${DISK}` : ''}`,
  },
  {
    name: 'qemu',
    file: QEMU_ARCHIVE,
    format: 'a cpio archive in the "newc" form',
    begins: '070701',
    command: ({ vcpus, memory, bootargs, disk }) =>
      `qemu-system-riscv64 -accel kvm -M virt,aia=none -cpu host -smp ${vcpus} -m ${memory} -kernel /${GUEST} -append "${bootargs}" -nodefaults -display none -serial stdio -monitor none -no-reboot -global virtio-mmio.force-legacy=false${disk ? ` -drive file=/${DISK},if=none,format=raw,id=d -device virtio-blk-device,drive=d` : ''}`,
  },
]

/** Where images for calibration are looked for unless told otherwise. */
export function calibrationDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'barehart', 'calibrate')
}

export function hasVmm(directory: string, { file }: HostedVmm): boolean {
  return existsSync(join(directory, file))
}

/** What the initramfs needs, as an archive: the VMM from the folder of images, the micro guest, a disk for it. */
export function vmmArchive(directory: string, { name, file, format, begins }: HostedVmm): Buffer {
  const path = join(directory, file)
  const image = readFileSync(path)
  if (image.toString('latin1', 0, begins.length) !== begins)
    throw new UserError(`${path} is not ${format}: docs/calibration.md says where it comes from`)
  const entry = (path: string, data: Uint8Array, executable = false): CpioEntry => ({
    path,
    kind: 'file',
    data,
    executable,
  })
  const ours = [entry(GUEST, microImage().bytes), entry(DISK, new Uint8Array(DISK_BYTES))]
  return name === 'qemu' ? Buffer.concat([image, cpio(ours)]) : cpio([...ours, entry('bin/lkvm', image, true)])
}
