import { expect, test } from 'vitest'
import { bootargsFor, microImage, numberOf } from '../../../guests/micro/index.ts'
import { virt } from '../../../hw/boards/virt.ts'
import { buildMachine } from '../../../lab/machine.ts'
import { microLines, runMicroGuests } from '../../../lab/study/micro-machine.ts'
import { MicroRecorder, type Spans } from '../../../lab/study/micro-recorder.ts'
import { NATIVE_PARTIES } from '../../../vmm/native/index.ts'
import { twinVmm } from './vmm.ts'

/** The counting is wrong, or the path wasteful, if TypeScript takes so much more or less than assembly. */
const TOLERANCE = 0.25
const EXITS = ['null-hypercall', 'mmio-user']
const GUEST = 0x8400_0000

function ofTwin(): readonly Spans[] {
  let text = ''
  const board = virt({
    harts: 1,
    ramBytes: 0x800_0000,
    kernel: twinVmm(GUEST).bytes,
    modules: [{ address: GUEST, bytes: microImage().bytes }],
    append: bootargsFor(EXITS),
    output: bytes => {
      text += new TextDecoder().decode(bytes)
    },
  })
  const machine = buildMachine(board, { parties: NATIVE_PARTIES })
  const recorder = new MicroRecorder(machine)
  machine.run({ untilCycle: 100_000_000 })
  expect(microLines(text).map(({ name }) => name)).toEqual(EXITS)
  return recorder.spans()
}

test('exits: the TypeScript path takes what hand-written assembly does, within a quarter', async () => {
  const twin = ofTwin()
  const { spans } = await runMicroGuests('native', [{ label: 'micro', bootargs: bootargsFor(EXITS), vcpus: 1 }], {})
  for (const name of EXITS) {
    const cycles = (of: readonly Spans[]) => of.find(({ number }) => number === numberOf(name))!.cycles
    const ratio = cycles(spans) / cycles(twin)
    console.log(`${name}: TypeScript ${cycles(spans)}, assembly ${cycles(twin)} cycles, ratio ${ratio.toFixed(3)}`)
    expect(Math.abs(ratio - 1), name).toBeLessThan(TOLERANCE)
  }
})
