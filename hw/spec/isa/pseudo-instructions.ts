/**
 * Pseudo-instructions: what each stands for, by name and number of operands. `$1` is the first operand as written.
 * `%pcrel_lo_previous` is the low part that goes with a %pcrel_hi in the instruction before.
 */
export const PSEUDO_INSTRUCTIONS: Readonly<Record<string, readonly string[]>> = {
  'nop/0': ['addi zero, zero, 0'],
  'unimp/0': ['csrrw zero, 0xc00, zero'],
  'mv/2': ['addi $1, $2, 0'],
  'move/2': ['addi $1, $2, 0'],
  'not/2': ['xori $1, $2, -1'],
  'neg/2': ['sub $1, zero, $2'],
  'negw/2': ['subw $1, zero, $2'],
  'sext.w/2': ['addiw $1, $2, 0'],
  'zext.b/2': ['andi $1, $2, 255'],
  'zext.w/2': ['add.uw $1, $2, zero'],
  'seqz/2': ['sltiu $1, $2, 1'],
  'snez/2': ['sltu $1, zero, $2'],
  'sltz/2': ['slt $1, $2, zero'],
  'sgtz/2': ['slt $1, zero, $2'],
  'sgt/3': ['slt $1, $3, $2'],
  'sgtu/3': ['sltu $1, $3, $2'],

  'beqz/2': ['beq $1, zero, $2'],
  'bnez/2': ['bne $1, zero, $2'],
  'blez/2': ['bge zero, $1, $2'],
  'bgez/2': ['bge $1, zero, $2'],
  'bltz/2': ['blt $1, zero, $2'],
  'bgtz/2': ['blt zero, $1, $2'],
  'bgt/3': ['blt $2, $1, $3'],
  'ble/3': ['bge $2, $1, $3'],
  'bgtu/3': ['bltu $2, $1, $3'],
  'bleu/3': ['bgeu $2, $1, $3'],

  'j/1': ['jal zero, $1'],
  'jal/1': ['jal ra, $1'],
  'jr/1': ['jalr zero, 0($1)'],
  'jalr/1': ['jalr ra, 0($1)'],
  'jalr/3': ['jalr $1, $3($2)'],
  'ret/0': ['jalr zero, 0(ra)'],
  'call/1': ['auipc ra, %pcrel_hi($1)', 'jalr ra, %pcrel_lo_previous($1)(ra)'],
  'call/2': ['auipc t1, %pcrel_hi($2)', 'jalr $1, %pcrel_lo_previous($2)(t1)'],
  'tail/1': ['auipc t1, %pcrel_hi($1)', 'jalr zero, %pcrel_lo_previous($1)(t1)'],
  'jump/2': ['auipc $2, %pcrel_hi($1)', 'jalr zero, %pcrel_lo_previous($1)($2)'],
  'la/2': ['auipc $1, %pcrel_hi($2)', 'addi $1, $1, %pcrel_lo_previous($2)'],
  'lla/2': ['auipc $1, %pcrel_hi($2)', 'addi $1, $1, %pcrel_lo_previous($2)'],

  'csrr/2': ['csrrs $1, $2, zero'],
  'csrw/2': ['csrrw zero, $1, $2'],
  'csrs/2': ['csrrs zero, $1, $2'],
  'csrc/2': ['csrrc zero, $1, $2'],
  'csrwi/2': ['csrrwi zero, $1, $2'],
  'csrsi/2': ['csrrsi zero, $1, $2'],
  'csrci/2': ['csrrci zero, $1, $2'],
  'rdcycle/1': ['csrrs $1, 0xc00, zero'],
  'rdtime/1': ['csrrs $1, 0xc01, zero'],
  'rdinstret/1': ['csrrs $1, 0xc02, zero'],
  'frflags/1': ['csrrs $1, 1, zero'],
  'fsflags/1': ['csrrw zero, 1, $1'],
  'fsflags/2': ['csrrw $1, 1, $2'],
  'frrm/1': ['csrrs $1, 2, zero'],
  'fsrm/1': ['csrrw zero, 2, $1'],
  'fsrm/2': ['csrrw $1, 2, $2'],
  'frcsr/1': ['csrrs $1, 3, zero'],
  'fscsr/1': ['csrrw zero, 3, $1'],
  'fscsr/2': ['csrrw $1, 3, $2'],

  'fmv.s/2': ['fsgnj.s $1, $2, $2'],
  'fneg.s/2': ['fsgnjn.s $1, $2, $2'],
  'fabs.s/2': ['fsgnjx.s $1, $2, $2'],
  'fgt.s/3': ['flt.s $1, $3, $2'],
  'fge.s/3': ['fle.s $1, $3, $2'],
  'fmv.d/2': ['fsgnj.d $1, $2, $2'],
  'fneg.d/2': ['fsgnjn.d $1, $2, $2'],
  'fabs.d/2': ['fsgnjx.d $1, $2, $2'],
  'fgt.d/3': ['flt.d $1, $3, $2'],
  'fge.d/3': ['fle.d $1, $3, $2'],
  'fmv.x.s/2': ['fmv.x.w $1, $2'],
  'fmv.s.x/2': ['fmv.w.x $1, $2'],

  'fence/0': ['fence iorw, iorw'],
  'fence.tso/0': ['.word 0x8330000f'],
  'pause/0': ['fence w, 0'],
  'sfence.vma/0': ['sfence.vma zero, zero'],
  'sfence.vma/1': ['sfence.vma $1, zero'],
  'hfence.vvma/0': ['hfence.vvma zero, zero'],
  'hfence.vvma/1': ['hfence.vvma $1, zero'],
  'hfence.gvma/0': ['hfence.gvma zero, zero'],
  'hfence.gvma/1': ['hfence.gvma $1, zero'],
}

/** Loads and stores that may name a symbol in place of an address: `lw a0, counter`, `sw a0, counter, t0`. */
export const SYMBOL_LOADS: readonly string[] = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld']
export const SYMBOL_STORES: readonly string[] = ['sb', 'sh', 'sw', 'sd', 'flw', 'fld', 'fsw', 'fsd']

/** What `li register, value` stands for: lui and addiw where 32 bits suffice, else 12 bits at a time from the top. */
export function loadImmediate(register: string, value: bigint, add: 'addi' | 'addiw' = 'addi'): readonly string[] {
  const wanted = BigInt.asIntN(64, value)
  if (wanted === BigInt.asIntN(12, wanted)) return [`${add} ${register}, zero, ${wanted}`]
  const low = BigInt.asIntN(12, wanted)
  if (wanted === BigInt.asIntN(32, wanted)) {
    const upper = BigInt.asUintN(20, (wanted - low) >> 12n)
    const lui = `lui ${register}, ${upper}`
    return low === 0n ? [lui] : [lui, `addiw ${register}, ${register}, ${low}`]
  }
  let high = BigInt.asIntN(52, (wanted - low) >> 12n)
  let shift = 12
  while ((high & 1n) === 0n) {
    high >>= 1n
    shift++
  }
  const rest = low === 0n ? [] : [`addi ${register}, ${register}, ${low}`]
  return [...loadImmediate(register, high, 'addiw'), `slli ${register}, ${register}, ${shift}`, ...rest]
}
