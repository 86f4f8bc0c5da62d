#include "twin.h"

struct uart {
	uint8_t ier, lcr, mcr, scr;
	uint16_t dll;
	bool overrun, level;
	uint8_t head, tail;
	uint8_t fifo[16];
	unsigned sent;
};

#define LCR_DLAB 0x80

static bool rx_ready(const struct uart *u)
{
	return u->head != u->tail;
}

static void uart_irq(struct uart *u)
{
	u->level = ((u->ier & 1) && rx_ready(u)) || (u->ier & 2);
}

TWIN uint8_t uart_read(struct uart *u, unsigned off)
{
	bool dlab = u->lcr & LCR_DLAB;
	uint8_t v = 0;

	switch (off) {
	case 0:
		if (dlab)
			return u->dll;
		if (rx_ready(u)) {
			v = u->fifo[u->head++ % 16];
			uart_irq(u);
		}
		return v;
	case 1:
		return dlab ? u->dll >> 8 : u->ier;
	case 2:
		if ((u->ier & 1) && rx_ready(u))
			return 0xc4;
		return u->ier & 2 ? 0xc2 : 0xc1;
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		v = 0x60 | (rx_ready(u) ? 1 : 0) | (u->overrun ? 2 : 0);
		u->overrun = false;
		return v;
	case 6:
		return 0xb0;
	case 7:
		return u->scr;
	}
	return 0;
}

TWIN void uart_write(struct uart *u, unsigned off, uint8_t v)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch (off) {
	case 0:
		if (dlab)
			u->dll = (u->dll & 0xff00) | v;
		else
			u->sent++;
		break;
	case 1:
		if (dlab) {
			u->dll = (u->dll & 0xff) | v << 8;
		} else {
			u->ier = v & 15;
			uart_irq(u);
		}
		break;
	case 2:
		if (v & 2) {
			u->head = u->tail;
			uart_irq(u);
		}
		break;
	case 3:
		u->lcr = v;
		break;
	case 4:
		u->mcr = v & 31;
		break;
	case 7:
		u->scr = v;
		break;
	}
}

TWIN void uart_rx(struct uart *u, uint8_t c)
{
	if ((uint8_t)(u->tail - u->head) == sizeof u->fifo) {
		u->overrun = true;
		return;
	}
	u->fifo[u->tail++ % 16] = c;
	uart_irq(u);
}

void uart(int dist)
{
	static struct uart u;

	memset(&u, 0, sizeof u);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned r = rnd() % 16, v = rnd() % 256, got = 0;

		if (dist == 0) {
			/* output: status, character */
			got = CALL(uart_read, &u, 5);
			CALL(uart_write, &u, 0, v);
		} else if (dist == 1) {
			/* input */
			CALL(uart_rx, &u, v);
			got = CALL(uart_read, &u, r < 8 ? 5 : 0);
		} else if (r < 8) {
			got = CALL(uart_read, &u, r);
		} else {
			CALL(uart_write, &u, r - 8, v);
		}
		note(got + u.level);
	}
}
