#include "twin.h"

struct mmio_access { uint8_t len; uint8_t reg; uint8_t insn_len; bool write; bool sign; };

#define BITS(v, hi, lo) (((v) >> (lo)) & ((1u << ((hi) - (lo) + 1)) - 1))

TWIN int decode_mmio(uint32_t insn, struct mmio_access *a)
{
	if ((insn & 3) != 3) {
		unsigned f = BITS(insn, 15, 13);

		a->insn_len = 2;
		a->sign = true;
		a->len = f & 1 ? 8 : 4;
		switch (insn & 3) {
		case 0:
			a->reg = BITS(insn, 4, 2) + 8;
			break;
		case 2:
			a->reg = f & 4 ? BITS(insn, 6, 2) : BITS(insn, 11, 7);
			break;
		default:
			return -1;
		}
		if (!(f & 2))
			return -1;
		a->write = f & 4;
		return 0;
	}

	a->insn_len = 4;
	switch (insn & 0x7f) {
	case 0x03:
		if (BITS(insn, 14, 12) == 7)
			return -1;
		a->write = false;
		a->sign = !BITS(insn, 14, 14);
		a->len = 1 << BITS(insn, 13, 12);
		a->reg = BITS(insn, 11, 7);
		return 0;
	case 0x23:
		if (BITS(insn, 14, 12) > 3)
			return -1;
		a->write = true;
		a->len = 1 << BITS(insn, 14, 12);
		a->reg = BITS(insn, 24, 20);
		return 0;
	}
	return -1;
}

void exit_decode(int dist)
{
	static struct mmio_access a;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t r = rnd(), insn;
		int e;

		if (dist == 0)
			insn = (r & 0x01ff0f80) | (r & 0x1000 ? 0x2023 : 0x2003);
		else if (dist == 1)
			insn = (r & 0x1ffc) | (r & 0x20000 ? 0xc000 : 0x4000) | (r & 0x40000 ? 2 : 0);
		else
			insn = r;
		e = CALL(decode_mmio, insn, &a);
		note(e ? 1 : a.len * 64 + a.reg);
	}
}
