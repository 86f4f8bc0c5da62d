/** DMA: devices and drivers reach what they were given. */
import fc from 'fast-check'
import { GUEST_PCIE } from '../../../hw/spec/guest-map.ts'
import { diskProgram, type DiskBatch } from '../disk-requests.ts'
import { ahead, circular, KEPT, KEPT_AT } from '../generators/absurd-queues.ts'
import { bait, crossed, misplaced, racing, resetAmid, writtenAfterReset } from '../generators/disk-attacks.ts'
import { hostileSteps } from '../generators/hostile-virtio.ts'
import { identifies, OWN_TARGET, transfers } from '../generators/passed-disk.ts'
import { interleaving } from '../generators/scenarios.ts'
import { found, watch } from '../judge.ts'
import { Ownership } from '../ownership.ts'
import type { IsolationPromise } from '../promise.ts'
import { checkElsewhere, elsewhere, type ElsewhereScenario } from './dma-elsewhere.ts'
import type { Program, Scenario } from '../scenario.ts'
import { dmaTopologies, passedTopologies, RACING } from '../topologies-io.ts'
import { difference, logOf } from '../view.ts'

const NAME = 'dma'
const MEMORY_MIB = 8

interface DmaScenario extends Scenario {
  /** The same of guest 1, whose memory holds something else. */
  readonly otherwise: Program
  /** Sectors that guest 0 took back by a reset, last of all; 0: none. */
  readonly takenBack: number
  /** The last that guest 0 did was to offer more than there can be. */
  readonly isAhead?: boolean
  /** Guests drive their disks themselves, and guest 1's is to write where it says. */
  readonly isPassed: boolean
}

/** What the neighbour does: it has something in its memory, and uses its disk. */
function neighbour(isLaid: boolean, size: number): Program {
  const batch: DiskBatch = [
    { write: true, where: 'inside', offset: 1, sectors: 9, place: { kind: 'page', at: 512 }, stamp: 77 },
    { write: false, where: 'inside', offset: 2, sectors: 17, place: { kind: 'page', at: 0 }, stamp: 78 },
  ]
  return [...bait(isLaid), ...diskProgram([batch], size)]
}

const harm = fc.oneof(
  { weight: 3, arbitrary: misplaced(MEMORY_MIB) },
  { weight: 2, arbitrary: crossed },
  { weight: 2, arbitrary: hostileSteps('disk', MEMORY_MIB) },
  { weight: 1, arbitrary: hostileSteps('network', MEMORY_MIB) },
  { weight: 1, arbitrary: hostileSteps('console', MEMORY_MIB) },
  { weight: 2, arbitrary: fc.constantFrom('disk' as const, 'network' as const, 'console' as const).chain(circular) },
)

const harmful = fc
  .record({
    topology: fc.constantFrom(...dmaTopologies()),
    parts: fc.array(harm, { minLength: 1, maxLength: 4 }),
    takenBack: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 24 })),
    requests: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ topology, parts, takenBack, requests }) => ({
    topology,
    takenBack,
    first: [[...parts.flat(), ...(takenBack > 0 ? resetAmid(takenBack, requests) : [])]],
    interleaving: undefined,
  }))
/** After whatever else there was. */
const absurd = fc
  .record({ topology: fc.constantFrom(...dmaTopologies()), parts: fc.array(harm, { maxLength: 1 }), ahead })
  .map(({ topology, parts, ahead }) => ({
    topology,
    takenBack: 0,
    isAhead: true,
    first: [[...parts.flat(), ...ahead]],
    interleaving: undefined,
  }))
const raced = fc.record({ programs: racing, interleaving }).map(({ programs, interleaving }) => ({
  topology: RACING,
  takenBack: 0,
  first: programs,
  interleaving: interleaving ?? { seed: 1, every: 3, cycles: 100 },
}))

const shared = fc
  .oneof({ weight: 6, arbitrary: harmful }, { weight: 1, arbitrary: absurd }, { weight: 1, arbitrary: raced })
  .map(({ topology, takenBack, first, interleaving, ...more }): DmaScenario => {
    const size = topology.guests[1].disk!.sectors
    return {
      topology,
      takenBack,
      ...more,
      isPassed: false,
      otherwise: neighbour(false, size),
      guests: [{ programs: first }, { programs: [neighbour(true, size)] }],
      ...(interleaving && { interleaving }),
      actions: [],
      everyone: true,
      cycles: 100_000_000,
    }
  })

/** Each has a disk that it drives itself. */
const passed = fc
  .record({ topology: fc.constantFrom(...passedTopologies()), transfers })
  .map(({ topology, transfers }): DmaScenario => {
    const own = identifies({ window: GUEST_PCIE.memory32.base, target: OWN_TARGET })
    return {
      topology,
      takenBack: 0,
      isPassed: true,
      otherwise: [...bait(false), ...own],
      guests: [{ programs: [transfers.flatMap(identifies)] }, { programs: [[...bait(true), ...own]] }],
      actions: [],
      everyone: true,
      cycles: 100_000_000,
    }
  })

const arbitrary: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 8, arbitrary: shared },
  { weight: 2, arbitrary: passed },
  { weight: 5, arbitrary: elsewhere },
)

function check(scenario: Scenario) {
  if (!('takenBack' in scenario)) return checkElsewhere(NAME, scenario as ElsewhereScenario)
  const { otherwise, takenBack, isAhead = false, isPassed, guests } = scenario as DmaScenario
  const { arena, run } = watch(scenario, [new Ownership()])
  if (run.sighting) return found(NAME, scenario, run, run.sighting)
  const where = arena.where()
  const see = (what: string) => found(NAME, scenario, run, { what, where })
  const load = (address: number) => arena.machine.memory.longs[arena.pages[0].hostOf(address) >> 3]
  if (takenBack > 0) {
    const what = writtenAfterReset(takenBack, logOf(arena, 0, 0), load)
    if (what !== undefined) return see(`guest 0: ${what}`)
  }
  if (isAhead && load(KEPT_AT) !== BigInt(KEPT))
    return see("guest 0's disk writes into a buffer, though what its queue offers is more than the queue can hold")
  if (isPassed && arena.machine.memory.words[arena.pages[1].hostOf(OWN_TARGET) >> 2] === 0)
    return see("guest 1's disk does not write where guest 1 says")
  const other = watch({ ...scenario, guests: [guests[0], { programs: [otherwise] }] }, [])
  if (other.run.sighting) return found(NAME, scenario, run, other.run.sighting)
  const read = difference(run.views[0], other.run.views[0])
  if (read !== undefined) return see(`guest 0 learns by its devices what is in guest 1's memory: ${read}`)
  const silent = watch({ ...scenario, guests: [{ programs: guests[0].programs.map(() => []) }, guests[1]] }, [])
  const written = difference(run.views[1], silent.run.views[1])
  return written === undefined ? undefined : see(`guest 1's memory is changed by guest 0's devices: ${written}`)
}

export const dma: IsolationPromise = {
  name: NAME,
  sentence:
    'Whatever a guest writes into rings, descriptors and registers, and whenever, its devices read and write its own memory only, of that what they were given, and nothing once a reset is over.',
  arbitrary,
  check,
}
