/** Debian's riscv64 QEMU, unmodified, with its libraries: an archive that calibration puts into Linux's initramfs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ForeignApt } from './apt.ts'
import { cpio } from './cpio.ts'
import { withLibraries } from './libraries.ts'

const PACKAGE = 'qemu-system-riscv'
const PROGRAM = 'usr/bin/qemu-system-riscv64'
/** What the archive is called in the folder of images. */
export const QEMU_ARCHIVE = 'qemu.cpio'

/** Fetches it from a Debian suite into `directory`, which is created; returns the archive's path. Takes a minute. */
export function fetchVmm(suite: string, directory: string, progress: (line: string) => void): string {
  const scratch = mkdtempSync(join(tmpdir(), 'barehart-vmm-'))
  try {
    const apt = new ForeignApt(scratch, suite, 'riscv64')
    progress(`reading the package lists of Debian ${suite}`)
    apt.update()
    progress(`downloading ${PACKAGE} and what it depends on`)
    const { tree, versions } = apt.unpackWithDependencies([PACKAGE])
    mkdirSync(directory, { recursive: true })
    const archive = join(directory, QEMU_ARCHIVE)
    writeFileSync(archive, cpio(withLibraries(tree, PROGRAM)))
    writeFileSync(`${archive}.version`, `Debian ${PACKAGE} ${versions.get(PACKAGE) ?? ''}\n`)
    return archive
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
