/** A virtio queue served by a backend, which another vCPU watches. */
import { virtioMmio as mmio } from '../../hw/spec/devices/virtio-mmio.ts'
import { SEIE, SIE } from './registers.ts'
import { CLAIM } from './external.ts'

const REQUESTS = 50
/** Legacy registers (virtio 1.2 4.2.4), for devices of version 1. */
const GUEST_PAGE_SIZE = 0x28
const QUEUE_ALIGN = 0x3c
const QUEUE_PFN = 0x40
const BLOCK = 2
const ACKNOWLEDGE_DRIVER = 3
const FEATURES_OK = 11
const DRIVER_OK = 15
/** As many as Xvisor has: it lays its rings out for that number, whatever QueueNum says. */
const QUEUE_SIZE = 128
/** Of the queue's memory: descriptors first, then the available ring, and a page on the used ring (2.7.2). */
const AVAILABLE = QUEUE_SIZE * 16
/** Behind the available ring's entries. */
const USED_EVENT = 4 + QUEUE_SIZE * 2
const USED = 4096
const NO_INTERRUPT = 1
const NEXT = 1
const WRITE = 2
/** VIRTIO_BLK_T_GET_ID (5.2.6): answered without the disk. */
const GET_ID = 8
const ID_BYTES = 20
/** Ticks between two requests, computing. */
const BETWEEN = 300

const descriptor = (at: string, bytes: number, flags: number, next: number) => `
    la t1, ${at}
    sd t1, 0(t0)
    li t1, ${bytes}
    sw t1, 8(t0)
    li t1, ${flags}
    sh t1, 12(t0)
    li t1, ${next}
    sh t1, 14(t0)
    addi t0, t0, 16`

export const VIRTIO_IO = `
# s2: a virtio block device, its queue 0 ours; 0 if there is none.
virtio_up:
    ld s2, virtio
    beqz s2, 1f
    ret
1:  la t0, virtio_windows
    ld t1, virtio_count
2:  beqz t1, 8f
    ld s2, 0(t0)
    ld t3, 8(t0)
    lw t2, ${mmio.MagicValue.at}(s2)
    li t4, ${mmio.MagicValue.reset}
    bne t2, t4, 3f
    lw t2, ${mmio.DeviceID.at}(s2)
    li t4, ${BLOCK}
    beq t2, t4, 4f
3:  addi t0, t0, 16
    addi t1, t1, -1
    j 2b
4:  sd t3, virtio_source, t0
    sw zero, ${mmio.Status.at}(s2)
5:  lw t0, ${mmio.Status.at}(s2)
    bnez t0, 5b
    li t0, ${ACKNOWLEDGE_DRIVER}
    sw t0, ${mmio.Status.at}(s2)
    lw t5, ${mmio.Version.at}(s2)
    li t6, 1
    sw zero, ${mmio.DriverFeaturesSel.at}(s2)
    sw zero, ${mmio.DriverFeatures.at}(s2)
    beq t5, t6, 6f
    # VERSION_1
    sw t6, ${mmio.DriverFeaturesSel.at}(s2)
    sw t6, ${mmio.DriverFeatures.at}(s2)
    li t0, ${FEATURES_OK}
    sw t0, ${mmio.Status.at}(s2)
6:  sw zero, ${mmio.QueueSel.at}(s2)
    li t0, ${QUEUE_SIZE}
    sw t0, ${mmio.QueueNum.at}(s2)
    la t1, queue
    beq t5, t6, 7f
    sw t1, ${mmio.QueueDescLow.at}(s2)
    srli t2, t1, 32
    sw t2, ${mmio.QueueDescHigh.at}(s2)
    la t3, available
    sw t3, ${mmio.QueueDriverLow.at}(s2)
    sw t2, ${mmio.QueueDriverHigh.at}(s2)
    li t3, ${USED}
    add t3, t3, t1
    sw t3, ${mmio.QueueDeviceLow.at}(s2)
    sw t2, ${mmio.QueueDeviceHigh.at}(s2)
    sw t6, ${mmio.QueueReady.at}(s2)
    j 9f
7:  li t0, 4096
    sw t0, ${GUEST_PAGE_SIZE}(s2)
    sw t0, ${QUEUE_ALIGN}(s2)
    srli t1, t1, 12
    sw t1, ${QUEUE_PFN}(s2)
9:  li t0, ${DRIVER_OK}
    sw t0, ${mmio.Status.at}(s2)
    la t0, queue
${descriptor('request', 16, NEXT, 1)}
${descriptor('identity', ID_BYTES, NEXT | WRITE, 2)}
${descriptor('answer', 1, WRITE, 0)}
    sd s2, virtio, t0
    ret
8:  li s2, 0
    ret

# From the kick until the backend has served the request: the second vCPU sees that.
io_out:
    enter_benchmark
    la a0, watch_end
    call io_begin
    beqz a0, 9f
    la t0, available
    li t1, ${NO_INTERRUPT}
    sh t1, 0(t0)
    li s0, ${REQUESTS}
1:  li a0, ${BETWEEN}
    call spin_ticks
    call offer
    span_begin
    sw zero, ${mmio.QueueNotify.at}(s2)
2:  unless_late 8f
    ld t0, observed
    bne t0, s3, 2b
    ld t0, observed_at
    sub t0, t0, s8
    add s9, s9, t0
    addi s0, s0, -1
    bnez s0, 1b
    call stop_second
    li a0, ${REQUESTS}
    leave_benchmark
8:  call stop_second
    absent why_late
    leave_benchmark
9:  mv a0, zero
    leave_benchmark

# From the backend's answer to our handler; we sleep.
io_in:
    enter_benchmark
    la a0, watch_begin
    call io_begin
    beqz a0, 9f
    ld a0, virtio_source
    call enable_source
    beqz a0, 7f
    mv s1, a0
    la t0, available
    sh zero, 0(t0)
    la t0, answer_handler
    csrw stvec, t0
    li t0, ${SEIE}
    csrw sie, t0
    li s0, ${REQUESTS}
1:  li a0, ${BETWEEN}
    call spin_ticks
    li s5, 0
    # Xvisor wants to know after which request we wish to be told, asked for VIRTIO_F_EVENT_IDX or not
    sh s3, used_event, t0
    rdtime s8
    call offer
    sw zero, ${mmio.QueueNotify.at}(s2)
2:  wfi
    csrsi sstatus, ${SIE}
    csrci sstatus, ${SIE}
    beqz s5, 2b
3:  unless_late 8f
    ld t0, observed
    bne t0, s3, 3b
    ld t0, observed_at
    sub t0, s4, t0
    add s9, s9, t0
    addi s0, s0, -1
    bnez s0, 1b
    csrw sie, zero
    call stop_second
    li a0, ${REQUESTS}
    leave_benchmark
7:  call stop_second
    absent why_no_plic
    leave_benchmark
8:  csrw sie, zero
    call stop_second
    absent why_late
    leave_benchmark
9:  mv a0, zero
    leave_benchmark
    .balign 4
answer_handler:
    mark.finish s10
    rdtime s4
    lw t5, ${CLAIM}(s1)
    lw t6, ${mmio.InterruptStatus.at}(s2)
    sw t6, ${mmio.InterruptACK.at}(s2)
    sw t5, ${CLAIM}(s1)
    snez s5, t6
    sret

# Starts the watching vCPU (at a0) and the device; s2: the device, s3: requests so far. In a0 0, in a1 why, if not.
io_begin:
    addi sp, sp, -16
    sd ra, 0(sp)
    mv s3, a0
    call virtio_up
    beqz s2, 1f
    sd s10, watched, t0
    la t0, queue
    li t1, ${USED}
    add t0, t0, t1
    lhu t1, 2(t0)
    sd t1, observed, t0
    mv a0, s3
    ld s3, observed
    call start_second
    la a1, why_second
    j 2f
1:  absent why_no_virtio
2:  ld ra, 0(sp)
    addi sp, sp, 16
    ret

# Puts one more request into the queue.
offer:
    addi s3, s3, 1
    slli s3, s3, 48
    srli s3, s3, 48
    la t0, available
    fence
    sh s3, 2(t0)
    fence
    ret

# The second vCPU: sees the used ring's index move.
    .macro watch name, mark
\\name:
    la t1, queue
    li t0, ${USED}
    add t1, t1, t0
    ld t2, observed
    ld s10, watched
    la t3, second_stop
    li t0, 1
    sd t0, second_ready, t4
1:  lhu t0, 2(t1)
    bne t0, t2, 2f
    ld t4, 0(t3)
    beqz t4, 1b
    j second_end
2:  \\mark s10
    rdtime t4
    mv t2, t0
    sd t4, observed_at, t5
    fence
    sd t0, observed, t5
    j 1b
    .endm
    watch watch_end, mark.finish
    watch watch_begin, mark.begin

    .data
why_no_plic: .asciz "no PLIC"
why_no_virtio: .asciz "no virtio block device"
    .balign 8
virtio: .dword 0
virtio_source: .dword 0
watched: .dword 0
observed: .dword 0
observed_at: .dword 0
request:
    .word ${GET_ID}, 0
    .dword 0
identity: .space ${ID_BYTES}
answer: .byte 0
    .bss
    .balign 4096
queue: .space ${AVAILABLE}
available: .space ${USED_EVENT}
used_event: .space ${2 * 4096 - AVAILABLE - USED_EVENT}
    .text
`
