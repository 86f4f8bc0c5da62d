/** The outside tools that conformance tests compare with: Debian's cross binutils and QEMU, with RAM shared through a file. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdtempSync,
  openSync,
  closeSync,
  ftruncateSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assemble } from '../../hw/spec/isa/assembler.ts'

export const ASSEMBLER = 'riscv64-linux-gnu-as'
export const QEMU = 'qemu-system-riscv64'

const RAM = 0x8000_0000
/** Where images tell Spike that they are done: a doubleword at the second MiB of RAM. */
export const TOHOST = 0x8010_0000

/** The names among `tools` that are not installed. */
export function missingTools(...tools: string[]): string[] {
  return tools.filter(tool => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error !== undefined)
}

/** Calls `work` with a fresh folder, which is removed afterwards. */
export function withScratch<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'barehart-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Assembles bare-metal source to run at the start of RAM; returns the flat image. */
export function assembleImage(source: string): Uint8Array {
  return assemble(source, { origin: RAM }).bytes
}

export interface Run {
  /** Placed at the start of RAM (0x8000_0000), and started there. */
  readonly image: Uint8Array
  /** RAM from this offset on is returned. */
  readonly resultAt: number
  readonly resultBytes: number
  readonly seconds?: number
}

/** Runs an image on Spike, whose path is in BAREHART_SPIKE, until it writes to tohost; returns part of its RAM. */
export function runInSpike(spike: string, run: Run, isa: string): Uint8Array {
  return withScratch(folder => {
    const path = (name: string) => join(folder, name)
    writeFileSync(path('image.bin'), run.image)
    writeFileSync(
      path('image.s'),
      `
      .globl _start, tohost, fromhost, begin_signature, end_signature
      .set tohost, ${TOHOST}
      .set fromhost, ${TOHOST + 8}
      .set begin_signature, ${RAM + run.resultAt}
      .set end_signature, ${RAM + run.resultAt + run.resultBytes}
      _start: .incbin "${path('image.bin')}"
    `,
    )
    execFileSync(ASSEMBLER, ['-march=rv64gc', '-mno-relax', '-o', path('image.o'), path('image.s')])
    execFileSync('riscv64-linux-gnu-ld', [
      '-N',
      '--no-warn-rwx-segments',
      `-Ttext=0x${RAM.toString(16)}`,
      '-o',
      path('image.elf'),
      path('image.o'),
    ])
    const result = spawnSync(
      spike,
      [
        `--isa=${isa}`,
        `-m0x${RAM.toString(16)}:0x${((Math.ceil(run.image.length / 4096) + 16) * 4096).toString(16)}`,
        `+signature=${path('signature')}`,
        '+signature-granularity=16',
        path('image.elf'),
      ],
      { timeout: (run.seconds ?? 60) * 1000, killSignal: 'SIGKILL', encoding: 'utf8' },
    )
    if (result.error || result.status !== 0) {
      throw new Error(`spike did not finish (status ${result.status}): ${result.error?.message ?? result.stderr}`)
    }
    // Each line is 16 bytes, the last byte first.
    const bytes = new Uint8Array(run.resultBytes)
    readFileSync(path('signature'), 'utf8')
      .split('\n')
      .forEach((line, index) => {
        for (let byte = 0; byte < 16 && index * 16 + byte < bytes.length; byte++) {
          bytes[index * 16 + byte] = Number.parseInt(line.slice(30 - byte * 2, 32 - byte * 2), 16)
        }
      })
    return bytes
  })
}

/** Runs an image on QEMU's virt machine until it writes to the test finisher; returns part of its RAM. */
export function runInQemu(run: Run, cpu: string): Uint8Array {
  // QEMU puts its device tree into the last 2 MiB or so.
  const megabytes = (Math.ceil(run.image.length / 0x20_0000) + 2) * 2
  return withScratch(folder => {
    const path = join(folder, 'ram')
    const writing = openSync(path, 'w')
    ftruncateSync(writing, megabytes << 20)
    writeSync(writing, run.image)
    closeSync(writing)
    const result = spawnSync(
      QEMU,
      [
        '-M',
        'virt,memory-backend=ram',
        '-cpu',
        cpu,
        '-m',
        `${megabytes}M`,
        '-bios',
        'none',
        '-display',
        'none',
        '-serial',
        'none',
        '-monitor',
        'none',
        '-object',
        `memory-backend-file,id=ram,size=${megabytes}M,mem-path=${path},share=on`,
      ],
      { timeout: (run.seconds ?? 60) * 1000, killSignal: 'SIGKILL', encoding: 'utf8' },
    )
    if (result.error || result.status !== 0) {
      throw new Error(`${QEMU} did not finish (status ${result.status}): ${result.error?.message ?? result.stderr}`)
    }
    const bytes = new Uint8Array(run.resultBytes)
    const reading = openSync(path, 'r')
    readSync(reading, bytes, 0, run.resultBytes, run.resultAt)
    closeSync(reading)
    return bytes
  })
}
