import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FIRMWARE_BYTES, firmwareSource } from '../../../hw/boards/firmware/firmware.ts'
import { assemble } from '../../../hw/spec/isa/assembler.ts'
import { QEMU, missingTools, withScratch } from '../../conformance/tools.ts'
import { SBI_LETTERS, sbiPayload } from './sbi-payload.ts'

/** What the payload prints on QEMU's board, and QEMU's exit status. */
function onQemu(cpu: string): { printed: string; status: number | null } {
  return withScratch(folder => {
    writeFileSync(join(folder, 'bios'), assemble(firmwareSource(2), { origin: 0x8000_0000 }).bytes)
    writeFileSync(join(folder, 'kernel'), assemble(sbiPayload, { origin: 0x8020_0000 }).bytes)
    const { stdout, status } = spawnSync(
      QEMU,
      [
        '-M',
        'virt',
        '-cpu',
        cpu,
        '-smp',
        '2',
        '-m',
        '64M',
        '-display',
        'none',
        '-monitor',
        'none',
        '-serial',
        'stdio',
        '-bios',
        join(folder, 'bios'),
        '-kernel',
        join(folder, 'kernel'),
      ],
      { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL', input: '' },
    )
    return { printed: stdout, status }
  })
}

test('the firmware fits into the memory that it protects, for as many harts as a mask names', () => {
  expect(assemble(firmwareSource(64), { origin: 0x8000_0000 }).bytes.length).toBeLessThanOrEqual(FIRMWARE_BYTES)
  expect(() => firmwareSource(65)).toThrow('firmware for 65 harts: it serves 1 to 64')
})

const absent = missingTools(QEMU)
describe.skipIf(absent.length > 0)(
  `our SBI on QEMU's board${absent.length > 0 ? ` (missing: ${absent.join(', ')})` : ''}`,
  () => {
    test('SBI 2.0: every call answers as the specification says', () => {
      expect(onQemu('rv64')).toEqual({ printed: SBI_LETTERS, status: 0 })
    })

    test('SBI 6: without Sstc the timer is the CLINT', () => {
      expect(onQemu('rv64,sstc=off')).toEqual({ printed: SBI_LETTERS, status: 0 })
    })
  },
)
