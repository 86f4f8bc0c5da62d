import { expect, test } from 'vitest'
import { workloadNamed } from '../../../guests/index.ts'
import { Clint } from '../../../hw/devices/clint.ts'
import { fdtNode, decodeFdt, encodeFdt } from '../../../hw/spec/layouts/fdt.ts'
import { inPageOrder, pageOrderNode, pagesLeftOut, smallPageOrder } from '../../../hw/spec/layouts/page-order.ts'
import { chanceOf } from '../../../lab/chance.ts'
import { measure } from '../../../lab/study/measure.ts'
import { subject } from '../../../lab/study/subject.ts'
import { buildSystem } from '../../../lab/system.ts'

const network = workloadNamed('network')!
const timer = workloadNamed('timer')!

test('seed 0 leaves nothing to chance; every other has its own, always the same', () => {
  expect(chanceOf(0, 3)).toEqual({ timePhase: 0, turns: [0, 1, 2], pageOrder: 0, images: 0 })
  expect(chanceOf(5, 3)).toEqual(chanceOf(5, 3))
  const seeds = Array.from({ length: 100 }, (_, seed) => chanceOf(seed + 1, 3))
  expect(new Set(seeds.map(({ timePhase }) => timePhase)).size).toBe(100)
  expect(new Set(seeds.map(({ turns }) => turns.join(' '))).size).toBe(6)
})

test('free pages are handed out in the order of the seed: the same pages', () => {
  const pages = Array.from({ length: 40 }, (_, page) => page)
  const tree = (seed: number) =>
    decodeFdt(encodeFdt(fdtNode('', {}, [fdtNode('chosen', {}, seed === 0 ? [] : [pageOrderNode(seed)])])))
  expect(inPageOrder(tree(0), pages)).toEqual(pages)
  expect(inPageOrder(tree(1), pages)).not.toEqual(pages)
  expect(inPageOrder(tree(1), pages)).not.toEqual(inPageOrder(tree(2), pages))
  expect(inPageOrder(tree(1), pages).toSorted((a, b) => a - b)).toEqual(pages)
  const orders = Array.from({ length: 64 }, (_, seed) => smallPageOrder(tree(seed + 1), 512))
  expect([smallPageOrder(tree(0), 512), pagesLeftOut(tree(0))]).toEqual([0, 0])
  expect(new Set(orders).size).toBeGreaterThan(50)
  expect(orders.every(order => order >= 0 && order < 512)).toBe(true)
  expect(new Set(Array.from({ length: 256 }, (_, seed) => pagesLeftOut(tree(seed + 1)))).size).toBe(16)
})

test.each(['native', 'hosted'] as const)('%s: where guests and images lie is the seed', configuration => {
  const placesOf = (seed: number) => {
    const { system } = subject(network, configuration, { seed })
    system.machine.run({ marks: true })
    return system.guests[0].ram.pages.join(' ')
  }
  expect(placesOf(3)).toBe(placesOf(3))
  expect(placesOf(3)).not.toBe(placesOf(4))
})

test("mtime's ticks are shifted against the clock, and its comparator with them", () => {
  let now = 0
  const due: number[] = []
  const clock = {
    now: () => now,
    at: (cycle: number) => due.push(cycle),
    cancel: () => {},
    cyclesPerTick: 100,
    frequency: 1e9,
  }
  const line = { set: () => {} }
  const chip = new Clint(clock, [{ msip: line, mtip: line }], 1_230)
  expect(chip.mtime()).toBe(12n)
  now = 70
  expect(chip.mtime()).toBe(13n)
  expect([chip.cycleOf(13n), chip.cycleOf(14n)]).toEqual([70, 170])
})

test.each(['bare', 'native', 'hosted'] as const)('%s: same seed, same trace; another seed, another', async name => {
  const [first, again, other] = [
    await measure(timer, name, { seed: 5 }),
    await measure(timer, name, { seed: 5 }),
    await measure(timer, name, { seed: 6 }),
  ]
  expect(again).toEqual(first)
  expect(other.traceHash).not.toBe(first.traceHash)
  expect(other.configurationHash).toBe(first.configurationHash)
})

test('which hart goes first is the seed', () => {
  const turns = [1, 0]
  const guest = { label: 'two', memoryBytes: 2 ** 25, vcpus: 1, harts: [], weight: 256, cap: 0, bootargs: '' }
  const system = (seed: number) =>
    buildSystem({
      configuration: 'native',
      harts: 2,
      ramBytes: 2 ** 27,
      seed,
      guests: [{ ...guest, kernel: timer.image().bytes }],
    })
  const seed = [1, 2, 3, 4, 5, 6, 7, 8].find(candidate => chanceOf(candidate, 2).turns.join() === turns.join())!
  expect(seed).toBeDefined()
  const { machine } = system(seed)
  const order: number[] = []
  machine.onTrap(hart => order.push(hart))
  machine.run({ untilCycle: 60_000_000 })
  const { machine: plain } = system(0)
  const inOrder: number[] = []
  plain.onTrap(hart => inOrder.push(hart))
  plain.run({ untilCycle: 60_000_000 })
  expect([order[0], inOrder[0]]).toEqual([1, 0])
})
