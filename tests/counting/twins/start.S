	.globl _start
_start:
	la sp, stack
	call run_all
1:	j 1b

	/* Calls `target` with this caller's arguments; adds what retired, from its first instruction to its ret, to `counted`. */
	.globl measure
measure:
	la t0, target
	ld t0, 0(t0)
	la t1, saved
	sd ra, 0(t1)
	sd s0, 8(t1)
	csrr s0, minstret
	jalr t0
	csrr t0, minstret
	sub t0, t0, s0
	addi t0, t0, -2			/* csrr, jalr */
	la t1, counted
	ld t2, 0(t1)
	add t2, t2, t0
	sd t2, 0(t1)
	la t1, saved
	ld ra, 0(t1)
	ld s0, 8(t1)
	ret

	.bss
	.balign 16
saved:	.space 16
	.space 16384
stack:
