/** The controller's features: NVMe 1.4 5.21.1. Values are 32-bit words, changed by Set Features only. */
import type { Plain, Saved } from '../../bus/chip.ts'
import { FEATURE, STATUS } from '../../spec/devices/nvme.ts'
import { IO_QUEUES } from './identify.ts'
import { TEMPERATURE } from './health.ts'

const ALLOCATED = ((IO_QUEUES - 1) << 16) | (IO_QUEUES - 1)
/** Temperature thresholds: over (0) and under (1) of the composite sensor. */
const OVER_TEMPERATURE = 0x157
const CHANGEABLE = 4

/** Features and their values at power on, in the order of their numbers. */
const DEFAULTS: readonly (readonly [feature: number, value: number, changeable: boolean])[] = [
  [FEATURE.ARBITRATION, 0x07, true],
  [FEATURE.POWER_MANAGEMENT, 0, true],
  [FEATURE.TEMPERATURE_THRESHOLD, OVER_TEMPERATURE, true],
  [FEATURE.ERROR_RECOVERY, 0, true],
  [FEATURE.VOLATILE_WRITE_CACHE, 1, true],
  [FEATURE.NUMBER_OF_QUEUES, ALLOCATED, true],
  [FEATURE.INTERRUPT_COALESCING, 0, true],
  [FEATURE.INTERRUPT_VECTOR_CONFIGURATION, 0, true],
  [FEATURE.WRITE_ATOMICITY_NORMAL, 0, true],
  [FEATURE.ASYNC_EVENT_CONFIGURATION, 0, true],
]

export class Features implements Saved {
  #values = new Map<number, number>()
  /** Interrupt Vector Configuration: bit n set while coalescing is off for vector n. */
  #coalescingDisabled = 0
  #underTemperature = 0

  constructor() {
    this.reset()
  }

  reset(): void {
    this.#values = new Map(DEFAULTS.map(([feature, value]) => [feature, value]))
    this.#coalescingDisabled = 0
    this.#underTemperature = 0
  }

  get writeCache(): boolean {
    return this.value(FEATURE.VOLATILE_WRITE_CACHE) === 1
  }

  /** Entries that may gather before an interrupt (0: none), and the longest wait in units of 100 µs. */
  coalescing(vector: number): { readonly threshold: number; readonly time: number } {
    if (this.#coalescingDisabled & (1 << vector)) return { threshold: 0, time: 0 }
    const value = this.value(FEATURE.INTERRUPT_COALESCING)
    return { threshold: value & 0xff, time: (value >>> 8) & 0xff }
  }

  /** Commands that arbitration takes from one queue in turn. */
  get burst(): number {
    const log = this.value(FEATURE.ARBITRATION) & 7
    return log === 7 ? Infinity : 1 << log
  }

  /** The sensor is beyond a threshold: a critical warning. */
  get temperatureOut(): boolean {
    return TEMPERATURE >= this.value(FEATURE.TEMPERATURE_THRESHOLD) || TEMPERATURE <= this.#underTemperature
  }

  /** The host wants to be told of temperature warnings. */
  get reportsTemperature(): boolean {
    return ((this.value(FEATURE.ASYNC_EVENT_CONFIGURATION) >>> 1) & 1) === 1
  }

  value(feature: number): number {
    return this.#values.get(feature) ?? 0
  }

  /** Get Features: the value and 0, or a status. `select` is 0 current, 1 default, 2 saved, 3 capabilities. */
  get(feature: number, select: number, cdw11: number): { readonly status: number; readonly result: number } {
    const row = DEFAULTS.find(([id]) => id === feature)
    if (!row || select > 3) return { status: STATUS.INVALID_FIELD, result: 0 }
    if (select === 3) return { status: STATUS.SUCCESS, result: row[2] ? CHANGEABLE : 0 }
    if (select !== 0) return { status: STATUS.SUCCESS, result: row[1] }
    if (feature === FEATURE.INTERRUPT_VECTOR_CONFIGURATION) {
      const vector = cdw11 & 0xffff
      if (vector > IO_QUEUES) return { status: STATUS.INVALID_FIELD, result: 0 }
      return { status: STATUS.SUCCESS, result: vector | (((this.#coalescingDisabled >>> vector) & 1) << 16) }
    }
    if (feature === FEATURE.TEMPERATURE_THRESHOLD && ((cdw11 >>> 20) & 3) === 1)
      return { status: STATUS.SUCCESS, result: this.#underTemperature }
    return { status: STATUS.SUCCESS, result: this.value(feature) }
  }

  /** Set Features. `queuesExist`: I/O queues have been created, whose number can no longer change. */
  set(
    feature: number,
    save: boolean,
    cdw11: number,
    queuesExist: boolean,
  ): { readonly status: number; readonly result: number } {
    const failed = (status: number) => ({ status, result: 0 })
    if (!DEFAULTS.some(([id]) => id === feature)) return failed(STATUS.INVALID_FIELD)
    if (save) return failed(STATUS.FEATURE_NOT_SAVEABLE)
    switch (feature) {
      case FEATURE.NUMBER_OF_QUEUES: {
        if (queuesExist) return failed(STATUS.COMMAND_SEQUENCE_ERROR)
        if ((cdw11 & 0xffff) === 0xffff || cdw11 >>> 16 === 0xffff) return failed(STATUS.INVALID_FIELD)
        return { status: STATUS.SUCCESS, result: ALLOCATED }
      }
      case FEATURE.POWER_MANAGEMENT:
        if ((cdw11 & 0x1f) !== 0) return failed(STATUS.INVALID_FIELD)
        break
      case FEATURE.INTERRUPT_VECTOR_CONFIGURATION: {
        const vector = cdw11 & 0xffff
        if (vector > IO_QUEUES) return failed(STATUS.INVALID_FIELD)
        const bit = 1 << vector
        this.#coalescingDisabled = (cdw11 >>> 16) & 1 ? this.#coalescingDisabled | bit : this.#coalescingDisabled & ~bit
        return { status: STATUS.SUCCESS, result: 0 }
      }
      case FEATURE.TEMPERATURE_THRESHOLD: {
        const sensor = (cdw11 >>> 16) & 15
        if ((sensor !== 0 && sensor !== 15) || ((cdw11 >>> 20) & 3) > 1) return failed(STATUS.INVALID_FIELD)
        if (((cdw11 >>> 20) & 3) === 1) {
          this.#underTemperature = cdw11 & 0xffff
          return { status: STATUS.SUCCESS, result: 0 }
        }
        this.#values.set(feature, cdw11 & 0xffff)
        return { status: STATUS.SUCCESS, result: 0 }
      }
      case FEATURE.VOLATILE_WRITE_CACHE:
        this.#values.set(feature, cdw11 & 1)
        return { status: STATUS.SUCCESS, result: 0 }
    }
    this.#values.set(feature, cdw11)
    return { status: STATUS.SUCCESS, result: 0 }
  }

  save(): Plain {
    return {
      values: [...this.#values].map(([feature, value]) => [feature, value]),
      disabled: this.#coalescingDisabled,
      under: this.#underTemperature,
    }
  }

  restore(state: Plain): void {
    const saved = state as { values: readonly (readonly [number, number])[]; disabled: number; under: number }
    this.#values = new Map(saved.values)
    this.#coalescingDisabled = saved.disabled
    this.#underTemperature = saved.under
  }
}
