/** SiFive's test finisher: software writes here to end the run, and firmware to power off or reset. */
import type { Chip } from '../bus/chip.ts'
import { FINISHER_STATUS } from '../spec/devices/finisher.ts'

/** How software ended the run: `code` is 0 unless it failed. */
export interface Finish {
  readonly how: 'pass' | 'fail' | 'reset'
  readonly code: number
}

export class TestFinisher implements Chip {
  readonly #finished: (finish: Finish) => void

  constructor(finished: (finish: Finish) => void) {
    this.#finished = finished
  }

  read(_offset: number, _bytes: 1 | 2 | 4): number {
    return 0
  }

  write(offset: number, _bytes: 1 | 2 | 4, value: number): void {
    if (offset !== 0) return
    switch (value & 0xffff) {
      case FINISHER_STATUS.PASS:
        return this.#finished({ how: 'pass', code: 0 })
      case FINISHER_STATUS.FAIL:
        return this.#finished({ how: 'fail', code: value >>> 16 })
      case FINISHER_STATUS.RESET:
        return this.#finished({ how: 'reset', code: 0 })
    }
  }
}
