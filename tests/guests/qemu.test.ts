import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WORKLOADS } from '../../guests/index.ts'
import { hostile } from '../../guests/workloads/hostile.ts'
import { missingTools } from '../conformance/tools.ts'

const QEMU = 'qemu-system-riscv64'
const absent = missingTools(QEMU)

/** Scripted ones need our machine. QEMU executes from device registers, which leads the hostile one anywhere. */
const elsewhere = WORKLOADS.filter(workload => !workload.software && workload !== hostile)

describe.skipIf(absent.length > 0)(`on QEMU's board (missing: ${absent.join(', ') || 'nothing'})`, () => {
  test.each(elsewhere)('$name comes to its end', ({ name, image }) => {
    const folder = mkdtempSync(join(tmpdir(), 'barehart-'))
    try {
      const kernel = join(folder, name)
      writeFileSync(kernel, image().bytes)
      const arguments_ = ['-M', 'virt', '-m', '160M', '-display', 'none', '-monitor', 'none', '-serial', 'null']
      const { status } = spawnSync(QEMU, [...arguments_, '-kernel', kernel], { timeout: 20_000, killSignal: 'SIGKILL' })
      expect(status).toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
