/**
 * The host-target interface of Berkeley's tests: software stores a command in the doubleword `tohost`. Only exit and
 * the console's putchar are served; a system call (device 0, bit 0 clear) is left unanswered.
 */
import type { Memory } from '../memory/memory.ts'
import { PAGE_BYTES } from '../spec/address.ts'
import type { Finish } from './test-finisher.ts'

export interface HtifOptions {
  readonly tohost: number
  readonly fromhost: number
  readonly finished: (finish: Finish) => void
  readonly output: (bytes: Uint8Array) => void
}

const CONSOLE = 1
const PUTCHAR = 1

/** Watches `tohost` in `memory`. A 4-byte store of an odd number suffices to exit: the rest of the word is zero. */
export function attachHtif(memory: Memory, { tohost, fromhost, finished, output }: HtifOptions): void {
  const host = memory.toHost(tohost)
  if (host < 0 || tohost % 8 !== 0)
    throw new Error(`tohost at 0x${tohost.toString(16)} is not an aligned doubleword in memory`)
  const answerHost = memory.toHost(fromhost)
  memory.watched.set(Math.floor(tohost / PAGE_BYTES), address => {
    if (address < tohost || address >= tohost + 8) return
    const low = memory.view.getUint32(host, true)
    const high = memory.view.getUint32(host + 4, true)
    const device = high >>> 24
    const command = (high >>> 16) & 0xff
    if (device === 0 && low & 1) {
      const code = low >>> 1
      finished(code === 0 ? { how: 'pass', code } : { how: 'fail', code })
    } else if (device === CONSOLE && command === PUTCHAR) {
      output(Uint8Array.of(low & 0xff))
      memory.longs[host >> 3] = 0n
      if (answerHost >= 0) memory.view.setUint32(answerHost + 4, high & 0xffff_0000, true)
    }
  })
}
