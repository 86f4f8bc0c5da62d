#include "twin.h"

struct sbiret { long error, value; };
struct vm { unsigned nharts; int ipi[8], rfence[8], state[8]; uint64_t timer[8]; };

enum { SBI_TIME = 0x54494d45, SBI_IPI = 0x735049, SBI_RFENCE = 0x52464e43, SBI_HSM = 0x48534d, SBI_BASE = 0x10 };
enum { OK = 0, ENOTSUPP = -2, EINVAL = -3, EALREADY = -6 };

static long for_each_hart(struct vm *vm, int *flags, unsigned long mask, long base)
{
	if (base == -1) {
		for (unsigned h = 0; h < vm->nharts; h++)
			flags[h] = 1;
		return OK;
	}
	for (unsigned long h = base; mask; mask >>= 1, h++) {
		if (!(mask & 1))
			continue;
		if (h >= vm->nharts)
			return EINVAL;
		flags[h] = 1;
	}
	return OK;
}

TWIN void sbi_call(struct vm *vm, unsigned self, unsigned long ext, unsigned long fid, unsigned long a0, long a1, struct sbiret *ret)
{
	ret->error = OK;
	ret->value = 0;
	switch (ext) {
	case SBI_TIME:
		if (fid != 0)
			break;
		vm->timer[self] = a0;
		return;
	case SBI_IPI:
		if (fid != 0)
			break;
		ret->error = for_each_hart(vm, vm->ipi, a0, a1);
		return;
	case SBI_RFENCE:
		if (fid > 6)
			break;
		ret->error = for_each_hart(vm, vm->rfence, a0, a1);
		return;
	case SBI_HSM:
		if (a0 >= vm->nharts) {
			ret->error = EINVAL;
			return;
		}
		if (fid == 2) {
			ret->value = vm->state[a0];
			return;
		}
		if (fid == 0) {
			if (vm->state[a0] == 1)
				vm->state[a0] = 2;
			else
				ret->error = EALREADY;
			return;
		}
		break;
	case SBI_BASE:
		switch (fid) {
		case 0:
			ret->value = 0x2000000;
			return;
		case 3:
			ret->value = a0 == SBI_TIME || a0 == SBI_IPI || a0 == SBI_RFENCE || a0 == SBI_HSM || a0 == SBI_BASE;
			return;
		}
		if (fid <= 6)
			return;
		break;
	}
	ret->error = ENOTSUPP;
}

void sbi(int dist)
{
	static const unsigned long ids[] = { SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_BASE, 99 };
	static struct vm vm;
	static struct sbiret ret;

	memset(&vm, 0, sizeof vm);
	vm.nharts = 8;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned r = rnd(), s = rnd();
		unsigned long ext = dist == 0 ? SBI_TIME : dist == 1 ? ids[1 + r % 2] : ids[r % 6];
		unsigned long fid = dist == 2 ? r / 8 % 5 : 0;
		unsigned long a0 = dist == 2 && ext == SBI_HSM ? s % 9 : s & 0xff;
		long a1 = s % 16 == 0 ? -1 : 0;

		CALL(sbi_call, &vm, i % 8, ext, fid, a0, a1, &ret);
		note(ret.error * 3 + ret.value);
	}
}
