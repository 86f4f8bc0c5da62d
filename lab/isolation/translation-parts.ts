/** Programs of two harts of a guest that change page tables and ask each other to forget what stood there (SBI 2.0, 8). */
import { satp } from '../../hw/spec/csrs/supervisor.ts'
import { SBI_RFENCE } from '../../hw/spec/sbi.ts'
import { DATA } from './guest-runtime.ts'
import type { Part, Sight } from './interrupt-parts.ts'
import type { Program, Step } from './scenario.ts'

const TABLES = DATA + 0x6_0000
const TABLES_BYTES = 0x4000
const PAGES = DATA + 0x7_0000
const FLAG = DATA + 0x7_8000
const WINDOW = 0x4000_0000
const POINTER = 1
/** V R W X A D. */
const LEAF = 0xcf
const ITSELF = (0x8000_0000 / 4096) * 1024 + LEAF
const SFENCE = 1
const SFENCE_ASID = 2
const LATER = 3000
/** Both harts have begun long before. */
const TOGETHER = 600

const entry = (address: number, flags: number) => (address / 4096) * 1024 + flags
const pageOf = (index: number) => PAGES + index * 0x1000
const contentOf = (index: number) => 0x1111 * (index + 1)
const leafOf = (hart: number) => TABLES + hart * TABLES_BYTES + 0x2000
const copy = (address: number, ...words: readonly number[]): Step => ({ op: 'copy', address, words })
const look: Step = { op: 'load', bytes: 4, signed: false, address: WINDOW }
const sees = (index: number, what: string): readonly [Step, Sight] => [
  look,
  { value: contentOf(index), mask: 0xffff_ffff, what },
]

/** Translation on, by tables of a hart's own in which the window leads to a page. */
function translated(hart: number, page: number, asid: number): Part {
  const root = TABLES + hart * TABLES_BYTES
  return [
    copy(root, 0, entry(root + 0x1000, POINTER), ITSELF),
    copy(root + 0x1000, entry(root + 0x2000, POINTER)),
    copy(root + 0x2000, entry(pageOf(page), LEAF)),
    copy(pageOf(page), contentOf(page)),
    {
      op: 'write',
      csr: satp.number,
      value: `0x${((8n << 60n) | (BigInt(asid) << 44n) | BigInt(root / 4096)).toString(16)}`,
    },
    { op: 'fence' },
  ]
}

const off: Part = [{ op: 'write', csr: satp.number, value: 0 }, { op: 'fence' }]

/** How a remote fence names hart 1, or hart 0, or both. */
export interface Named {
  readonly mask: number
  readonly base: number
  readonly byAsid: boolean
}

const fence = ({ mask, base, byAsid }: Named): Step => ({
  op: 'call',
  extension: SBI_RFENCE,
  function: byAsid ? SFENCE_ASID : SFENCE,
  arguments: byAsid ? [mask, base, 0, -1, 0] : [mask, base, 0, -1],
})

/** The second hart looks through its window before and after the first has changed where it leads. */
export function remoteFence(named: Named): readonly [Part, Part] {
  return [
    [
      copy(pageOf(1), contentOf(1)),
      { op: 'wait', ticks: LATER },
      copy(leafOf(1), entry(pageOf(1), LEAF)),
      fence(named),
      { op: 'wait', ticks: 2 * LATER },
    ],
    [
      ...translated(1, 0, 0),
      sees(0, 'the window leads to the first page'),
      { op: 'wait', ticks: 2 * LATER },
      sees(1, 'after a remote fence the window leads to the second page'),
      ...off,
    ],
  ]
}

/** A hart asks itself. */
export function ownFence(named: Named): Part {
  return [
    copy(pageOf(1), contentOf(1)),
    ...translated(0, 0, 0),
    sees(0, 'the window leads to the first page'),
    copy(leafOf(0), entry(pageOf(1), LEAF)),
    fence(named),
    sees(1, 'after a fence of its own hart the window leads to the second page'),
    ...off,
  ]
}

/** Each hart has a window of its own at the same address and in an address space of the same number, and looks now and then. */
export function windows(asid: number, times: number, ticks: number): readonly [Part, Part] {
  const part = (hart: number): Part => [
    ...translated(hart, 2 + hart, asid),
    ...Array.from(
      { length: times },
      (): Part => [sees(2 + hart, 'each hart sees its own page'), { op: 'wait', ticks }],
    ).flat(),
    ...off,
  ]
  return [part(0), part(1)]
}

/** A hart changes its window again and again, and fences itself, wherever in the machine it is. */
export function changing(times: number, ticks: number): Part {
  const turns = Array.from(
    { length: times },
    (_, index): Part => [
      copy(leafOf(0), entry(pageOf(index % 2), LEAF)),
      { op: 'fence' },
      sees(index % 2, 'behind a fence the window leads where the tables say'),
      { op: 'wait', ticks: ticks + (index % 3) * 11 },
      sees(index % 2, 'wherever a hart of a guest runs, the window leads where the tables say'),
    ],
  ).flat()
  return [copy(pageOf(1), contentOf(1)), ...translated(0, 0, 0), ...turns, ...off]
}

/** Puts a number into each of these places, and finds it again. */
export function stamped(addresses: readonly number[]): Part {
  return [
    ...addresses.map((address, index): Step => ({ op: 'store', bytes: 4, address, value: index + 1 })),
    ...addresses.map((address, index): readonly [Step, Sight] => [
      { op: 'load', bytes: 4, signed: false, address },
      { value: index + 1, mask: 0xffff_ffff, what: `0x${address.toString(16)} holds what was put there` },
    ]),
  ]
}

/** Works and sleeps in turns, so that others have to go elsewhere. */
export function busy(work: number, ticks: number): Program {
  return [
    {
      op: 'repeat',
      times: 1000,
      steps: [
        { op: 'compute', times: work },
        { op: 'wait', ticks },
      ],
    },
  ]
}

/** The second hart looks at a flag and through its window all the time; the first sets the flag when its fence has returned. */
export function flagged(looks: number, work: number): readonly [Part, Part] {
  const flag: Step = { op: 'load', bytes: 4, signed: false, address: FLAG }
  return [
    [
      copy(pageOf(1), contentOf(1)),
      { op: 'wait', ticks: TOGETHER },
      { op: 'compute', times: work },
      copy(leafOf(1), entry(pageOf(1), LEAF)),
      fence({ mask: 2, base: 0, byAsid: false }),
      { op: 'store', bytes: 4, address: FLAG, value: 1 },
    ],
    [
      copy(FLAG, 0),
      ...translated(1, 0, 0),
      look,
      { op: 'wait', ticks: TOGETHER },
      ...Array.from({ length: looks }, () => [flag, look]).flat(),
      ...off,
    ],
  ]
}

/** Whether a hart that has seen the flag has then seen the old page: its log, a line an entry. */
export function sawOldPage(log: readonly string[]): string | undefined {
  const values = log.map(line => Number(BigInt(line.split(' ')[0]) & 0xffff_ffffn))
  const at = log.map(line => Number(BigInt(line.split(' ')[1]) & 0xffff_ffffn))
  const entry = values.findIndex(
    (value, index) =>
      at[index] === FLAG && value === 1 && at[index + 1] === WINDOW && values[index + 1] === contentOf(0),
  )
  return entry < 0
    ? undefined
    : `hart 1 translates as before when hart 0's remote fence has returned: step ${entry + 1}`
}
