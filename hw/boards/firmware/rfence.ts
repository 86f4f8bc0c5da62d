/**
 * SBI remote fences (chapter 8). One request is under way at a time, under a lock; its harts are interrupted, each
 * takes the fence and counts itself out, and the asker waits until all have.
 */
import { VIRT_MAP } from '../virt-map.ts'
import { HART_STATE } from '../../spec/sbi.ts'
import { EVENTS, EVENT_FENCE, SCRATCH_SHIFT, STATE } from './layout.ts'

const KIND = 0
const START = 8
const SIZE = 16
const SPACE = 24
const HGATP = 32
const PAGE = 4096
/** A range of more pages than this costs less as a fence of everything. */
const MOST_PAGES = 64
const MSIP = 0x8
const FIRST_HYPERVISOR_CALL = 3

/** One kind: page by page from t2 to t3 (t6 is a page), or everything if t5 is set. `t4` is the ASID or VMID. */
function kind(name: string, page: string, everything: string): string {
  return `
${name}:
  bnez t5, ${name}_all
${name}_page:
${page}
  add t2, t2, t6
  bltu t2, t3, ${name}_page
  jr s1
${name}_all:
  ${everything}
  jr s1
`
}

/** The text of the remote fences. */
export function rfence(): string {
  return `
sbi_rfence:
  li t0, 6
  bgtu a6, t0, sbi_not_supported
  la t0, has_hypervisor
  ld t1, 0(t0)
  bnez t1, rfence_known
  li t0, ${FIRST_HYPERVISOR_CALL}
  bgeu a6, t0, sbi_not_supported
rfence_known:
  call hart_mask
  # Whoever waits for the lock must go on serving: the holder may be waiting for this hart.
rfence_lock:
  la t0, fence_lock
  li t1, 1
  amoswap.w.aq t1, t1, (t0)
  beqz t1, rfence_locked
  csrr t1, mip
  andi t1, t1, ${MSIP}
  beqz t1, rfence_lock
  call take_events
  j rfence_lock
rfence_locked:
  la t0, fence_request
  sd a6, ${KIND}(t0)
  sd a2, ${START}(t0)
  sd a3, ${SIZE}(t0)
  sd a4, ${SPACE}(t0)
  li t1, ${FIRST_HYPERVISOR_CALL}
  bltu a6, t1, rfence_ask
  csrr t1, hgatp
  sd t1, ${HGATP}(t0)
rfence_ask:
  la t0, scratch
  li t1, ${VIRT_MAP.clint.base}
  la t2, fence_pending
  li t3, 0
rfence_next:
  beqz s0, rfence_asked
  andi t4, s0, 1
  beqz t4, rfence_skip
  bne t0, sp, rfence_remote
  li t3, 1
  j rfence_skip
rfence_remote:
  # A stopped hart fences when it starts.
  lw t4, ${STATE}(t0)
  beqz t4, rfence_send
  addi t4, t4, -${HART_STATE.SUSPENDED}
  bnez t4, rfence_skip
rfence_send:
  li t4, 1
  amoadd.w.aqrl zero, t4, (t2)
  addi t5, t0, ${EVENTS}
  li t6, ${EVENT_FENCE}
  amoor.w.aqrl zero, t6, (t5)
  fence
  sw t4, 0(t1)
rfence_skip:
  srli s0, s0, 1
  addi t0, t0, ${1 << SCRATCH_SHIFT}
  addi t1, t1, 4
  j rfence_next
rfence_asked:
  beqz t3, rfence_wait
  jal s1, perform_fence
rfence_wait:
  la t0, fence_pending
rfence_poll:
  lw t1, 0(t0)
  bnez t1, rfence_poll
  la t0, fence_lock
  amoswap.w.rl zero, zero, (t0)
  j sbi_success

# Takes the requested fence on this hart; returns by s1. Changes t0–t6.
perform_fence:
  fence
  la t0, fence_request
  ld t1, ${KIND}(t0)
  ld t2, ${START}(t0)
  ld t3, ${SIZE}(t0)
  ld t4, ${SPACE}(t0)
  # Start and size both zero, or a size of all ones, ask for everything.
  li t5, 1
  beqz t3, fence_dispatch
  li t6, ${MOST_PAGES * PAGE}
  bgtu t3, t6, fence_dispatch
  li t5, 0
  add t3, t3, t2
  li t6, -${PAGE}
  and t2, t2, t6
fence_dispatch:
  li t6, 1
  beq t1, t6, fence_sfence
  li t6, 2
  beq t1, t6, fence_sfence_asid
  li t6, 3
  beq t1, t6, fence_gvma_vmid
  li t6, 4
  beq t1, t6, fence_gvma
  bnez t1, fence_guest
  fence.i
  jr s1
${kind('fence_sfence', `  li t6, ${PAGE}\n  sfence.vma t2, zero`, 'sfence.vma')}
${kind('fence_sfence_asid', `  li t6, ${PAGE}\n  sfence.vma t2, t4`, 'sfence.vma zero, t4')}
${kind('fence_gvma_vmid', `  li t6, ${PAGE}\n  srli t0, t2, 2\n  hfence.gvma t0, t4`, 'hfence.gvma zero, t4')}
${kind('fence_gvma', `  li t6, ${PAGE}\n  srli t0, t2, 2\n  hfence.gvma t0, zero`, 'hfence.gvma')}

# hfence.vvma works on the VMID in hgatp: the asker's, for as long as it takes (SBI 8.6, 8.7).
fence_guest:
  ld t0, ${HGATP}(t0)
  csrrw t0, hgatp, t0
  li t6, 5
  beq t1, t6, fence_vvma_asid
  bnez t5, fence_vvma_all
fence_vvma_page:
  hfence.vvma t2, zero
  li t6, ${PAGE}
  add t2, t2, t6
  bltu t2, t3, fence_vvma_page
  j fence_guest_end
fence_vvma_all:
  hfence.vvma
  j fence_guest_end
fence_vvma_asid:
  bnez t5, fence_vvma_asid_all
fence_vvma_asid_page:
  hfence.vvma t2, t4
  li t6, ${PAGE}
  add t2, t2, t6
  bltu t2, t3, fence_vvma_asid_page
  j fence_guest_end
fence_vvma_asid_all:
  hfence.vvma zero, t4
fence_guest_end:
  csrw hgatp, t0
  jr s1
`
}
