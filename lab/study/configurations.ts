/**
 * What is compared: each configuration is the same machine with the same guest under another hypervisor, or the same
 * one set up otherwise. Their axes say what the difference between two of them is a difference of.
 */
import type { HostPolicy } from '../../hw/spec/layouts/host-policy.ts'

/** Who does what. Configurations that are alike in all axes but one show what that one is worth. */
export interface Axes {
  /** Whose drivers the devices have. */
  readonly drivers: 'guest' | 'hypervisor' | 'host OS'
  /** Where virtual devices are emulated. */
  readonly emulates: 'nobody' | 'kernel mode' | 'process'
  /** Who decides what the guest's hart runs. */
  readonly schedules: 'nobody' | 'hypervisor' | 'host OS'
}
export type Axis = keyof Axes
export const AXES: readonly Axis[] = ['drivers', 'emulates', 'schedules']

interface Described {
  readonly vmm: 'none' | 'native' | 'hosted'
  readonly hostPolicy?: Partial<HostPolicy>
  /** Percent of a hart that the guest may have at most: then the hypervisor has to schedule even one guest. */
  readonly cap?: number
  /** The machine must have so many harts at least; 1 unless given. */
  readonly harts?: number
  /** For tables: at most 13 characters. */
  readonly label: string
  /** In one line. */
  readonly does: string
  readonly axes: Axes
}

const HOST: Axes = { drivers: 'host OS', emulates: 'process', schedules: 'host OS' }

const TABLE = {
  bare: {
    vmm: 'none',
    label: 'bare',
    does: 'the guest straight on the machine',
    axes: { drivers: 'guest', emulates: 'nobody', schedules: 'nobody' },
  },
  native: {
    vmm: 'native',
    label: 'native',
    does: 'type 1, the guest alone on its hart',
    axes: { drivers: 'hypervisor', emulates: 'kernel mode', schedules: 'nobody' },
  },
  'native-shared': {
    vmm: 'native',
    cap: 100,
    label: 'native shared',
    does: 'type 1 that keeps account of the hart, as with several guests',
    axes: { drivers: 'hypervisor', emulates: 'kernel mode', schedules: 'hypervisor' },
  },
  hosted: {
    vmm: 'hosted',
    label: 'hosted',
    does: "type 2: module in the host's kernel, devices in a process",
    axes: HOST,
  },
  'hosted-kernel-backend': {
    vmm: 'hosted',
    hostPolicy: { backend: 'kernel' },
    label: 'hosted kernel',
    does: "type 2, I/O of virtio devices by a thread of the host's kernel",
    axes: { ...HOST, emulates: 'kernel mode' },
  },
  'hosted-direct': {
    vmm: 'hosted',
    hostPolicy: { io: 'direct' },
    label: 'hosted direct',
    does: "type 2, the guest's disk past the host's page cache",
    axes: HOST,
  },
  'hosted-small-pages': {
    vmm: 'hosted',
    hostPolicy: { pages: 'small' },
    label: 'hosted small',
    does: "type 2, the guest's memory in pages of 4 KiB",
    axes: HOST,
  },
  'hosted-dedicated': {
    vmm: 'hosted',
    hostPolicy: { dedicated: true },
    harts: 2,
    label: 'hosted alone',
    does: 'type 2, nothing else on the hart of the guest',
    axes: { ...HOST, schedules: 'nobody' },
  },
  'hosted-tuned': {
    vmm: 'hosted',
    hostPolicy: { backend: 'kernel', io: 'direct', dedicated: true },
    harts: 2,
    label: 'hosted tuned',
    does: 'type 2 with kernel backend, direct I/O and a dedicated hart',
    axes: { drivers: 'host OS', emulates: 'kernel mode', schedules: 'nobody' },
  },
  'hosted-switch': {
    vmm: 'hosted',
    hostPolicy: { form: 'switch' },
    label: 'hosted switch',
    does: 'type 2 that switches the host away as a whole',
    axes: HOST,
  },
} as const satisfies Record<string, Described>

/** The name of a configuration. */
export type Configuration = keyof typeof TABLE

export interface NamedConfiguration extends Described {
  readonly name: Configuration
}

export const CONFIGURATIONS: readonly Configuration[] = Object.keys(TABLE) as Configuration[]

/** Those that are compared unless one says which. */
export const DEFAULT_CONFIGURATIONS: readonly Configuration[] = ['bare', 'native', 'hosted']

export function configurationNamed(name: Configuration): NamedConfiguration {
  return { name, ...TABLE[name] }
}

/** Harts that a machine must have for all of these. */
export function hartsNeeded(names: readonly Configuration[]): number {
  return Math.max(1, ...names.map(name => configurationNamed(name).harts ?? 1))
}

/** The axes in which two differ. */
export function axesBetween(a: Configuration, b: Configuration): readonly Axis[] {
  const [first, second] = [configurationNamed(a).axes, configurationNamed(b).axes]
  return AXES.filter(axis => first[axis] !== second[axis])
}
