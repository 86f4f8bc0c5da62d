/**
 * What computing weighs: RISC-V instructions that gcc 12 -O2 emits for rv64gc (no Zba, no Zbb). All numbers of the
 * counting are here, set from the ISA and the calling convention, and none is fitted; tests/counting compares their sum with compiled C.
 */

export const WEIGHTS = {
  /** add, sub, and, or, xor, shift, mul, div, rem: one instruction each. */
  operation: 1,
  /** A conditional branch, which compares two registers itself. */
  branch: 1,
  /** A jump: the way over an else, or back to the head of a loop that has no condition. */
  jump: 1,
  /** li or lui: a constant that is no 12-bit immediate, or that a branch, a store or an argument needs in a register. */
  constant: 1,
  load: 1,
  store: 1,
  /** slli and add: what a scaled index adds to its load or store; bytes need no slli. */
  index: 2,
  byteIndex: 1,
  /** lui or auipc: the upper part of a static table's address; the lower part folds into the load. */
  staticAddress: 1,
  /** slt; with xori for the negation, or sub and seqz for equality. */
  compared: 1,
  comparedInTwo: 2,
  /** A remainder by a constant that is no power of two: two multiplications, two shifts, a subtraction. */
  constantRemainder: 5,
  constantQuotient: 3,
  /** A mask wider than 11 bits: slli and srli. */
  wideMask: 2,
  /** jal, or jalr. */
  call: 1,
  /** ret. */
  return: 1,
  /** An argument that has to be moved into its register. */
  argument: 1,
  /** A frame: sp down and up, ra stored and loaded. */
  frame: 4,
  /** A callee-saved register: stored and loaded. */
  saved: 2,
  /** The function's pointer, loaded from a table. */
  indirect: 1,
  /** A jump table: range check in two, shift, add, load, add, jr. */
  jumpTable: 7,
  /** One of a few cases, by comparison: li and beq. */
  case: 2,
  /** An object of a slab: take the head of the free list, or the way back. */
  allocation: 20,
  /** A loop over an array's elements: load (or store), next, branch. */
  element: 3,
} as const

/**
 * What each function that is not inlined takes more in a kernel that is built as distributions build theirs
 * (docs/path-length.md): counted where such a kernel runs it, on top of the weights above.
 */
export const TRACED_BUILD = {
  /** auipc and a nop at its beginning, where a tracer may patch in its call: -fpatchable-function-entry. */
  entry: 2,
  /** Its call is auipc and jalr, since the linker leaves what may be patched as it is: --no-relax. */
  farCall: 1,
  /** s0 stored, set and loaded: -fno-omit-frame-pointer. */
  framePointer: 3,
  /** The same where there would be no frame: sp down and up as well. */
  leafFrame: 5,
} as const

/** At most so many callee-saved registers exist (s0 to s11). */
export const MOST_SAVED = 12
/** gcc -O2 inlines a function that grows its caller by no more than this many instructions (max-inline-insns-auto is 15). */
export const INLINED_SIZE = 15
/**
 * What other files call is compiled by itself, and inlined only where a header has it. A C programmer puts there what has no more
 * lines than this: the rule of thumb of Linux's coding style (Documentation/process/coding-style.rst, 15).
 */
export const HEADER_LINES = 3
/** A switch of so many cases or more becomes a jump table (gcc's case-values-threshold without a cheap casesi). */
export const JUMP_TABLE_CASES = 5

/** Builtins: instructions beyond those of their arguments, and where the number comes from. */
export const BUILTINS: Readonly<
  Record<string, { readonly weight: number; readonly calls?: true; readonly why: string }>
> = {
  'Math.floor': { weight: 0, why: 'integers already: the division or shift inside is what costs' },
  'Math.trunc': { weight: 0, why: 'the same' },
  'Math.ceil': { weight: 1, why: 'the divisor less one is added before the division' },
  'Math.min': { weight: 2, why: 'a branch and a move, without Zbb' },
  'Math.max': { weight: 2, why: 'a branch and a move, without Zbb' },
  'Math.abs': { weight: 3, why: 'srai, xor, sub' },
  'Math.imul': { weight: 1, why: 'mulw' },
  'Math.clz32': { weight: 24, calls: true, why: "libgcc's __clzdi2 without Zbb: byte search, table, subtraction" },
  'Map.get': {
    weight: 20,
    calls: true,
    why: 'hash by multiplication (3), bucket (3), one and a half nodes of load, compare, next (9), call and return (5)',
  },
  'Map.has': { weight: 20, calls: true, why: 'as Map.get' },
  'Map.set': { weight: 45, calls: true, why: 'as Map.get, then a node of a slab (20) linked in (5)' },
  'Map.delete': { weight: 35, calls: true, why: 'as Map.get, unlinked (5), given back to its slab (10)' },
  'Set.has': { weight: 20, calls: true, why: 'as Map.get' },
  'Set.add': { weight: 45, calls: true, why: 'as Map.set' },
  'Set.delete': { weight: 35, calls: true, why: 'as Map.delete' },
  'Array.push': { weight: 8, why: 'length and capacity loaded, branch, shift, add, store, addi, store' },
  'Array.pop': { weight: 6, why: 'length loaded, branch, addi, store, address, load' },
}

/** Counting trailing zeros has no instruction without Zbb: 31 - Math.clz32(x & -x) costs libgcc's __ctzdi2. */
export const COUNT_TRAILING_ZEROS = 40

/** Array methods whose callback a C programmer writes as a loop: the body is counted, with {@link WEIGHTS}.element for each turn. */
export const LOOPS: readonly string[] = ['Array.some', 'Array.every', 'Array.find', 'Array.findIndex', 'Array.forEach']

/** Builtins that are loops over a whole array, or on average half of it: the length halved so many times is the number of turns. */
export const LENGTH_LOOPS: readonly (readonly [name: RegExp, halvings: number])[] = [
  [/^\w+Array\.fill$/, 0],
  [/Array\.(indexOf|includes)$/, 1],
]

/** A builtin's name without `Readonly`. */
export function writable(name: string): string {
  return name.replace(/^Readonly/, '')
}

/** A builtin's row. */
export function builtin(name: string): (typeof BUILTINS)[string] | undefined {
  const key = writable(name)
  return Object.hasOwn(BUILTINS, key) ? BUILTINS[key] : undefined
}

/** Interfaces whose methods are the machine's own instructions: hw/hart/port prices them. */
export const PORT = 'HartPort'
/** Port operations that are calls of a routine. */
export const PORT_ROUTINES: readonly string[] = ['copy', 'fill']
/** Port methods that are no operation at all: they weigh nothing, arguments included. */
export const PORT_OFF_THE_RECORD: readonly string[] = ['account', 'mark']
/**
 * Accessors that C has as macros or static inline functions (readl, writel): no call, wherever they are implemented.
 * By interface, or by the name of the property that holds them.
 */
export const INLINE_INTERFACES: readonly string[] = ['DmaBuffer', 'Environment.device', 'Environment.dma.fence']

/** Members that are called only while software is set up; who implements them may do as it likes. */
export const SET_UP_MEMBERS: readonly string[] = [
  'Workload.diskContent',
  'Workload.image',
  'Workload.software',
  'Channel.trojan',
  'Channel.spy',
  'Environment.state',
  'Environment.time.entry',
  'Interrupt.subscribe',
  'Ground.environment',
  'Ground.environmentIn',
  'Ground.loans',
  'Ground.region',
  'Ground.serve',
  'MachineController.bus',
  'OwnDevices.connect',
  'DiskService.partition',
  'NetworkService.plug',
]

/** Modules whose functions weigh nothing, arguments included; they return nothing. */
export const OFF_THE_RECORD: readonly RegExp[] = [
  /^vmm\/core\/(trace|assert|ledger)\.ts$/,
  /^drivers\/initial-data\.ts$/,
]
/** Folders whose code runs on simulated harts. */
export const COUNTED_FOLDERS: readonly string[] = ['vmm/', 'drivers/', 'guests/']
