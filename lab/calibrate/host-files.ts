/** What our host tells under /proc: read by a program of its own, noted in the host's log, and found on its disk. */
import { SECTOR_BYTES } from '../../hw/devices/disk-backing.ts'
import { LOG } from '../../hw/spec/layouts/host-file-system.ts'
import { userProgram } from '../linux/user-program.ts'
import { hostWithPrograms } from './host-primitives.ts'
import { Intervals } from './intervals.ts'

const ROOM = 4096
const PATIENCE = 2_000_000_000
const TURN = 10_000_000
/** What the program puts around each text, so that it is found. */
const BEFORE = '<<proc'
const AFTER = 'proc>>'

/** Reads each file, in pieces that do not end with its lines, and writes it to the log; `work` is done before. */
function teller(names: readonly string[], work: string): Uint8Array {
  const each = names.map(
    (_, index) => `
    la a1, path${index}
    call open
    mv s3, a0
    la s4, text
    mv s5, s4
1:  mv a0, s3
    mv a1, s5
    li a2, 100
    checked read
    add s5, s5, a0
    bnez a0, 1b
    mv a0, s3
    checked close
    la a1, before
    li a2, ${BEFORE.length}
    call note
    mv a1, s4
    sub a2, s5, s4
    call note
    la a1, after
    li a2, ${AFTER.length}
    call note
`,
  )
  return userProgram(`
    la a1, log
    call open
    mv s2, a0
    ${work}
    ${each.join('')}
    mark.start
    mv a0, s2
    checked fsync
    mark.end
    li a0, 0
    syscall exit_group
open:
    li a0, -100
    li a2, 0
    li a3, 0
    checked openat
    ret
note:
    mv s6, ra
    mv s7, a1
    mv s8, a2
2:  beqz s8, 3f
    mv a0, s2
    mv a1, s7
    mv a2, s8
    checked write
    add s7, s7, a0
    sub s8, s8, a0
    j 2b
3:  mv ra, s6
    ret
    .data
log: .asciz "/${LOG.directory}/${LOG.name}"
before: .ascii "${BEFORE}"
after: .ascii "${AFTER}"
${names.map((name, index) => `path${index}: .asciz "/proc/${name}"`).join('\n')}
    .balign 4096
text: .space ${ROOM}
`)
}

/** The texts of files under /proc of a host on which nothing runs but who reads them, after some `work` of its. */
export function hostFiles(names: readonly string[], work = ''): readonly string[] {
  const { machine, disk } = hostWithPrograms([teller(names, work)])
  const { found } = new Intervals(machine)
  while (found.length === 0) {
    const stop = machine.run({ untilCycle: machine.now() + TURN, until: () => found.length > 0 })
    if (found.length === 0 && (stop.kind !== 'cycle' || machine.now() > PATIENCE))
      throw new Error(`the host's files were not read (${stop.kind} after ${machine.now()} cycles)`)
  }
  const bytes = new Uint8Array(disk.sectors * SECTOR_BYTES)
  disk.read(0, bytes)
  const all = Buffer.from(bytes).toString('latin1')
  return all
    .split(BEFORE)
    .slice(1)
    .map(part => part.slice(0, part.indexOf(AFTER)))
}
