/** Accesses to devices' registers. */
import { virtioMmio as mmio } from '../../hw/spec/devices/virtio-mmio.ts'

const ACCESSES = 200
/** 16550: the scratch register, which nothing depends on. */
const SCR = 7
const PRIORITY_1 = 4

export const ACCESS = `
mmio_user:
    enter_benchmark
    ld s2, uart
    beqz s2, 1f
    timed uart_loop, ${ACCESSES}
    leave_benchmark
1:  absent why_no_uart
    leave_benchmark
uart_loop:
    lbu t0, ${SCR}(s2)
    addi s0, s0, -1
    bnez s0, uart_loop
    ret

irqchip_access:
    enter_benchmark
    ld s2, plic
    beqz s2, 1f
    timed plic_loop, ${ACCESSES}
    leave_benchmark
1:  absent why_no_plic
    leave_benchmark
plic_loop:
    lw t0, ${PRIORITY_1}(s2)
    addi s0, s0, -1
    bnez s0, plic_loop
    ret

mmio_kernel:
    enter_benchmark
    call virtio_up
    beqz s2, 1f
    timed doorbell_loop, ${ACCESSES}
    leave_benchmark
1:  absent why_no_virtio
    leave_benchmark
doorbell_loop:
    sw zero, ${mmio.QueueNotify.at}(s2)
    addi s0, s0, -1
    bnez s0, doorbell_loop
    ret

    .data
why_no_uart: .asciz "no UART"
    .text
`
