/**
 * How the host of the hosted configuration (type 2) is set up: a node below /chosen of the machine's device tree. Whoever
 * loads the machine writes it, the host's kernel reads it; what is absent is as it is by default.
 *
 *   host-policy {
 *     form = "module" | "switch";        hypervisor in the host's kernel; or a world of its own that the host is switched away for
 *     backend = "process" | "kernel";    who does the I/O of virtio devices: the VMM's process, or a thread of the kernel
 *     io = "cached" | "direct";          the guest's disk through the host's page cache, or past it
 *     pages = "large" | "small";         of guests' memory: 2 MiB, or 4 KiB given one at a time (the native VMM reads this too)
 *     build = "distribution" | "plain";  how its kernel is compiled: to be traced, with frame pointers, or with neither
 *     dedicated;                         harts to which vCPUs are pinned run nothing else
 *   };
 */
import { type Fdt, type FdtNode, type FdtValue, fdtNode } from './fdt.ts'

/** By option: its values, the default first. */
export const HOST_POLICIES = {
  form: ['module', 'switch'],
  backend: ['process', 'kernel'],
  io: ['cached', 'direct'],
  pages: ['large', 'small'],
  build: ['distribution', 'plain'],
} as const

export interface HostPolicy {
  readonly form: (typeof HOST_POLICIES.form)[number]
  readonly backend: (typeof HOST_POLICIES.backend)[number]
  readonly io: (typeof HOST_POLICIES.io)[number]
  readonly pages: (typeof HOST_POLICIES.pages)[number]
  readonly build: (typeof HOST_POLICIES.build)[number]
  readonly dedicated: boolean
}

export const DEFAULT_HOST_POLICY: HostPolicy = {
  form: 'module',
  backend: 'process',
  io: 'cached',
  pages: 'large',
  build: 'distribution',
  dedicated: false,
}

const NODE = 'host-policy'

/** The node, for /chosen. */
export function hostPolicyNode(policy: Partial<HostPolicy>): FdtNode {
  const { form, backend, io, pages, build, dedicated } = { ...DEFAULT_HOST_POLICY, ...policy }
  const properties: Record<string, FdtValue> = { form, backend, io, pages, build }
  if (dedicated) properties['dedicated'] = true
  return fdtNode(NODE, properties)
}

function choiceOf<T extends string>(node: FdtNode | undefined, name: string, values: readonly T[]): T {
  const bytes = node?.properties.get(name)
  if (!bytes) return values[0]
  const text = Array.from(bytes, byte => (byte === 0 ? '' : String.fromCharCode(byte))).join('')
  const value = values.find(candidate => candidate === text)
  if (value === undefined)
    throw new Error(`the device tree's host-policy has ${name} "${text}": it is one of ${values.join(', ')}`)
  return value
}

/** What a device tree says of it. */
export function hostPolicyOf(tree: Fdt): HostPolicy {
  const chosen = tree.root.children.find(({ name }) => name === 'chosen')
  const node = chosen?.children.find(({ name }) => name === NODE)
  return {
    form: choiceOf(node, 'form', HOST_POLICIES.form),
    backend: choiceOf(node, 'backend', HOST_POLICIES.backend),
    io: choiceOf(node, 'io', HOST_POLICIES.io),
    pages: choiceOf(node, 'pages', HOST_POLICIES.pages),
    build: choiceOf(node, 'build', HOST_POLICIES.build),
    dedicated: node?.properties.has('dedicated') ?? false,
  }
}
