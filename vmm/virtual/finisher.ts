/** The test finisher that a guest sees: it ends this guest, not the machine. */
import type { HartPort } from '../../hw/port.ts'
import { FINISHER_STATUS } from '../../hw/spec/devices/finisher.ts'
import type { VirtualChip } from './chip.ts'

export class VirtualFinisher implements VirtualChip {
  readonly #finished: (port: HartPort, code: number) => void

  /** `finished` is told the exit code; a reset counts as 0. */
  constructor(finished: (port: HartPort, code: number) => void) {
    this.#finished = finished
  }

  read(): number {
    return 0
  }

  write(port: HartPort, offset: number, _bytes: 1 | 2 | 4, value: number): void {
    if (offset !== 0) return
    const what = value & 0xffff
    if (what === FINISHER_STATUS.PASS || what === FINISHER_STATUS.RESET) this.#finished(port, 0)
    else if (what === FINISHER_STATUS.FAIL) this.#finished(port, value >>> 16)
  }
}
