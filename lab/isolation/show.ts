/** Scenarios and findings as people read them. */
import type { Finding } from './finding.ts'
import type { Program, Scenario, Step, Topology, Value } from './scenario.ts'

const INDENT = '  '

function shown(value: Value): string {
  if (typeof value === 'string' || value < 0) return String(value)
  return value < 10 ? String(value) : `0x${value.toString(16)}`
}

const named = (how: string, register: number | undefined) => (register === undefined ? '' : ` ${how} x${register}`)

/** A step in a line, or several. */
export function stepLines(step: Step): readonly string[] {
  switch (step.op) {
    case 'call':
      return [`call ${shown(step.extension)}.${shown(step.function)} (${step.arguments.map(shown).join(', ')})`]
    case 'load':
      return [
        `load ${step.bytes} byte${step.bytes > 1 ? 's' : ''}${step.signed ? ', signed,' : ''} at ${shown(step.address)}${named('into', step.register)}`,
      ]
    case 'store':
      return [
        `store ${shown(step.value)}, ${step.bytes} byte${step.bytes > 1 ? 's' : ''}, at ${shown(step.address)}${named('from', step.register)}`,
      ]
    case 'copy':
      return [`copy ${step.words.map(shown).join(', ')} to ${shown(step.address)}`]
    case 'read':
      return [`read CSR ${shown(step.csr)}`]
    case 'write':
    case 'set':
    case 'clear':
      return [`${step.op} CSR ${shown(step.csr)}: ${shown(step.value)}`]
    case 'word':
      return [`execute ${shown(step.word)} with a1 = ${shown(step.a1)}, a4 = ${shown(step.a4)}`]
    case 'user':
      return [`execute ${shown(step.word)} in user mode with a1 = ${shown(step.a1)}, a4 = ${shown(step.a4)}`]
    case 'fill':
      return [`fill all registers from seed ${step.seed}`]
    case 'digest':
      return ['note all registers']
    case 'wait':
      return [`sleep ${step.ticks} ticks`]
    case 'listen':
      return [`sleep until one of sources ${shown(step.sources)} interrupts, or ${step.ticks} ticks; claim it`]
    case 'compute':
      return [`compute ${step.times} times`]
    case 'walk':
      return [
        `${step.write ? 'store' : 'load'} 8 bytes ${step.times} times, ${shown(step.stride)} apart, from ${shown(step.address)} on`,
      ]
    case 'repeat':
      return [`${step.times} times:`, ...programLines(step.steps)]
    case 'fence':
      return ['sfence.vma, fence.i']
  }
}

function programLines(program: Program): readonly string[] {
  return program.flatMap(step => stepLines(step)).map(line => INDENT + line)
}

function topologyLine({ vmm, policy, placements, timeProtection, harts, guests }: Topology): string {
  const each = guests.map(({ vcpus, harts: pinned, disk, network }) => {
    const where = pinned.length === 0 ? 'anywhere' : `on ${pinned.join(', ')}`
    return `${vcpus} vCPU${vcpus > 1 ? 's' : ''} ${where}${disk ? ', a disk' : ''}${network ? ', a network card' : ''}`
  })
  const more = [policy, placements, timeProtection]
    .filter(given => given !== undefined)
    .map(given => ` ${JSON.stringify(given)}`)
  return `${vmm}${more.join('')}, ${harts} hart${harts > 1 ? 's' : ''}; guests: ${each.join(' | ')}`
}

/** What a scenario is, a line each. */
export function scenarioLines({ topology, guests, interleaving, actions }: Scenario): readonly string[] {
  const programs = guests.flatMap((guest, index) =>
    guest.programs.flatMap((program, vcpu) => {
      const who = `guest ${index}${guest.programs.length > 1 ? `, vCPU ${vcpu}` : ''}`
      return program.length === 0 ? [`${who}: nothing`] : [`${who}:`, ...programLines(program)]
    }),
  )
  return [
    topologyLine(topology),
    ...programs,
    ...(interleaving
      ? [`before one in ${interleaving.every} port operations the others run for up to ${interleaving.cycles} cycles`]
      : []),
    ...actions.map(({ at, ...action }) => `at cycle ${at}: ${JSON.stringify(action)}`),
  ]
}

/** A finding with its scenario. */
export function findingLines({ what, where, scenario, traceHash }: Finding): readonly string[] {
  return [
    what,
    `at cycle ${where.cycle}, hart ${where.hart}, exit: ${where.exit}; trace hash ${traceHash || 'none: it did not end'}`,
    ...scenarioLines(scenario).map(line => INDENT + line),
  ]
}
