/**
 * The faults, as changes of the drivers' text: planted into copies, never a switch in the product. A planted driver asks
 * `fault` (trigger.ts) at each request whether this is the one; what it then does wrong is written here.
 */
import type { Substitution } from '../../planting/substitution.ts'
import type { Device } from '../workloads.ts'
import { TRIGGER } from './trigger.ts'

/** Behind the constant that stands here, the trigger, which is told of each driver that is made. */
const trigger = `const fault = (globalThis as any)[Symbol.for('${TRIGGER}')]`

/** What every driver gets: whose turn it is, and what has befallen it. */
const strike = `
  const instance = fault.made++
  const struck = env.state('struck', { requests: 0, kind: 0 })
  function befalls(): string {
    if (!fault.isVictim(instance)) return ''
    struck.requests += 1
    fault.seen = struck.requests
    if (struck.requests !== fault.at) return ''
    fault.strikes(time.now())
    struck.kind = fault.code
    return fault.kind
  }
  function suffers(kind: string): boolean {
    return struck.kind !== 0 && fault.kind === kind
  }
  function mask(): void {
    for (let i = 0; i < interrupts.length; i++) interrupts[i].mask()
  }
`

const NVME = 'drivers/nvme.ts'
const NIC = 'drivers/nic.ts'
const FUNCTION = 'drivers/nic-function.ts'
const QUEUES = 'drivers/nic-queues.ts'

const nvmePlan: readonly Substitution[] = [
  { file: NVME, anchor: 'const BUDGET = 64\n', replacement: `const BUDGET = 64\n${trigger}\n` },
  {
    file: NVME,
    anchor: '  let completed = unheard\n',
    replacement: `  let completed = unheard\n${strike}`,
  },
  {
    file: NVME,
    anchor: '    const queue = queues[1 + (tag % pairs)]\n',
    replacement: `    const queue = queues[1 + (tag % pairs)]
    const kind = befalls()
    if (suffers('hang')) {
      since[tag] = state.age + 1
      state.outstanding += 1
      if (kind === 'hang') {
        mask()
        time.defer(drain)
      }
      return true
    }
    if (kind === 'wild DMA') address = fault.value
    else if (kind === 'wrong register') device.write({ ...nvme.CC, at: fault.value } as any, fault.data)
    else if (kind === 'crash') queue.submissions.write64(fault.value - queue.submissions.device, fault.data)
    else if (kind === 'lost interrupt') mask()
`,
  },
  {
    file: NVME,
    anchor: '    ringTail(env, queue)\n    if (state.watching === 0) {',
    replacement: `    ringTail(env, queue)
    if (kind === 'corrupted completion') {
      finish(tag, 'ok')
      return true
    }
    if (state.watching === 0) {`,
  },
  {
    file: NVME,
    anchor: '    since[tag] = 0\n    state.outstanding -= 1\n    completed(tag, how)\n',
    replacement: `    if (!suffers('leak')) {
      since[tag] = 0
      state.outstanding -= 1
    }
    completed(tag, how)
`,
  },
  {
    file: NVME,
    anchor: '    if (state.phase !== RUNNING) return\n    if (state.aborting === 1) awaitAbort()\n',
    replacement: `    if (state.phase !== RUNNING || suffers('interrupt storm')) return
    if (state.aborting === 1) awaitAbort()
`,
  },
  {
    file: NVME,
    anchor: '  function drain(): void {\n',
    replacement: `  function drain(): void {
    if (suffers('hang')) {
      time.defer(drain)
      return
    }
`,
  },
]

/** A driver of the card, of either kind: its variables have a place for what has befallen it, and its handler may be deaf. */
const nicHandler = (file: string): readonly Substitution[] => [
  { file, anchor: 'const BUDGET = 64\n', replacement: `const BUDGET = 64\n${trigger}\n` },
  { file, anchor: '    looks: 0,\n', replacement: '    looks: 0,\n    requests: 0,\n    struck: 0,\n' },
  {
    file,
    anchor: '  function onInterrupt(): void {\n',
    replacement: `  function onInterrupt(): void {
    if (state.struck !== 0 && fault.kind === 'interrupt storm') return
`,
  },
]

const nicPlan: readonly Substitution[] = [
  ...nicHandler(NIC),
  ...nicHandler(FUNCTION),
  { file: QUEUES, anchor: 'const FIRST = 0\n', replacement: `const FIRST = 0\n${trigger}\n` },
  {
    file: QUEUES,
    anchor: '  let received = unheardReceived\n',
    replacement: `  let received = unheardReceived
  const instance = fault.made++
  const { interrupts, time } = env
  const ill = state as any
  function befalls(): string {
    if (!fault.isVictim(instance)) return ''
    ill.requests += 1
    fault.seen = ill.requests
    if (ill.requests !== fault.at) return ''
    fault.strikes(time.now())
    ill.struck = 1
    return fault.kind
  }
  function suffers(kind: string): boolean {
    return ill.struck !== 0 && fault.kind === kind
  }
  /** The same for what happens once. */
  function once(kind: string): boolean {
    if (ill.struck !== 1 || fault.kind !== kind) return false
    ill.struck = 2
    return true
  }
`,
  },
  {
    file: QUEUES,
    anchor: '      return false\n    sending[tag] = 1\n',
    replacement: `      return false
    const kind = befalls()
    sending[tag] = 1
    if (suffers('hang')) return true
    if (kind === 'wrong register') device.write({ ...queue.TDT, at: fault.value } as any, fault.data)
    else if (kind === 'wild DMA') {
      // The buffer of the frame that comes next.
      const next = headAt(receiver)
      if (next >= 0) receiver.memory.write64(next + PACKET, fault.value)
    } else if (kind === 'crash') transmitter.memory.write64(fault.value - transmitter.memory.device, fault.data)
    else if (kind === 'lost interrupt') for (let i = 0; i < interrupts.length; i++) interrupts[i].mask()
`,
  },
  {
    file: QUEUES,
    anchor: '  function poll(budget: number): number {\n',
    replacement: `  function poll(budget: number): number {
    if (suffers('hang')) return budget
`,
  },
  {
    file: QUEUES,
    anchor: '    received(tag, (status & RX_ERROR) === 0 ? bytes : 0)\n',
    replacement: `    received(tag, once('corrupted completion') ? BUFFER_BYTES : bytes)
`,
  },
  {
    file: QUEUES,
    anchor: '    sending[tag] = 0\n    state.progress = 1\n    transmitted(tag)\n',
    replacement: `    state.progress = 1
    if (suffers('leak')) return true
    sending[tag] = 0
    transmitted(tag)
`,
  },
]

/** What is planted, and under which name. */
export const PLANS: Readonly<
  Record<Device, { readonly name: string; readonly substitutions: readonly Substitution[] }>
> = {
  nvme: { name: 'driver-faults-nvme', substitutions: nvmePlan },
  nic: { name: 'driver-faults-nic', substitutions: nicPlan },
}
