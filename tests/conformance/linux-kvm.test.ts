/** Debian's kernel with its own KVM, unmodified, on two harts of our machine. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LinuxConsole } from '../../lab/linux/console.ts'
import { cpio } from '../../lab/linux/cpio.ts'
import { fetchedLinux } from '../../lab/linux/debian.ts'
import { missingTools, withScratch } from './tools.ts'

const COMPILER = 'riscv64-linux-gnu-gcc'
/** Milliseconds of the host. */
const PATIENCE = 120_000
const images = fetchedLinux()
const missing = !images ? 'run `barehart linux` first' : missingTools(COMPILER).join(', ')

/** An initramfs with the least VMM in /bin. */
function withVmm(): Uint8Array {
  return withScratch(folder => {
    const binary = join(folder, 'run-guest')
    execFileSync(COMPILER, ['-O1', '-static', '-o', binary, join(import.meta.dirname, 'kvm', 'run-guest.c')])
    return cpio([{ path: 'bin/run-guest', kind: 'file', data: readFileSync(binary), executable: true }])
  })
}

describe.skipIf(missing || !images)(`Linux's own KVM${missing && ` (skipped: ${missing})`}`, () => {
  test(
    'a guest runs, is trapped at its MMIO, gets its timer interrupt and shuts down',
    () => {
      const linux = new LinuxConsole({ images: images!, harts: 2, archive: withVmm() })
      expect(linux.must('nproc')).toContain('2\r\n')
      linux.must('load kvm')
      expect(linux.must('dmesg | grep kvm')).toContain('hypervisor extension available')
      expect(linux.must('run-guest')).toContain('guest says g?5, ends with a shutdown\r\n')
    },
    PATIENCE,
  )

  test(
    'with IMSICs: harts interrupt each other by messages, and KVM finds their guest interrupt files',
    () => {
      const linux = new LinuxConsole({ images: images!, harts: 2, archive: withVmm(), aia: 'aplic-imsic' })
      linux.must('load kvm')
      expect(linux.must('dmesg | grep -i -E "kvm|imsic"')).toContain('AIA available with 7 guest external interrupts')
      expect(linux.must('run-guest')).toContain('guest says g?5, ends with a shutdown\r\n')
      expect(linux.must('cat /proc/interrupts')).toMatch(/IPI0: +\d+ +[1-9]/)
    },
    PATIENCE,
  )
})
