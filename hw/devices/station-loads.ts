/** The station as a client (hw/spec/devices/station.ts): whom it sends what, and how far it is. */
import type { Plain, Saved } from '../bus/chip.ts'
import { CREDIT, LOAD } from '../spec/devices/station.ts'

/** Who gets datagrams, and of how many bytes. */
export type Load = {
  readonly mac: readonly number[]
  readonly ip: readonly number[]
  readonly port: number
  readonly bytes: number
}

/** Datagrams that are to be sent now. */
export interface Burst {
  readonly load: Load
  readonly first: number
  readonly count: number
}

const MOST_BYTES = 1472

type Progress = { readonly load: Load; sent: number; readonly count: number }

export class StationLoads implements Saved {
  #loads: readonly Progress[] = []

  /** A client has sent the load service this. */
  told(client: Omit<Load, 'bytes'>, payload: Uint8Array): Burst {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    const word = (index: number) => (index * 4 + 4 <= payload.length ? view.getUint32(index * 4) : 0)
    const others = this.#loads.filter(({ load }) => !isSame(load, client))
    if (word(0) === LOAD) {
      const load = { ...client, bytes: Math.min(word(1), MOST_BYTES) }
      const begun = { load, sent: 0, count: word(2) }
      this.#loads = [...others, begun]
      return burst(begun, word(3))
    }
    const known = this.#loads.find(({ load }) => isSame(load, client))
    if (!known || word(0) !== CREDIT) return { load: { ...client, bytes: 0 }, first: 0, count: 0 }
    return burst(known, word(1))
  }

  save(): Plain {
    return this.#loads.map(({ load, sent, count }) => ({ load: { ...load }, sent, count }))
  }

  restore(state: Plain): void {
    this.#loads = (state as unknown as readonly Progress[]).map(entry => ({ ...entry }))
  }
}

/** The next datagrams, as many as remain. */
function burst(progress: Progress, most: number): Burst {
  const { load, sent: first, count } = progress
  progress.sent = Math.min(first + most, count)
  return { load, first, count: progress.sent - first }
}

function isSame(load: Omit<Load, 'bytes'>, { ip, port }: Omit<Load, 'bytes'>): boolean {
  return load.port === port && load.ip.every((byte, index) => byte === ip[index])
}
