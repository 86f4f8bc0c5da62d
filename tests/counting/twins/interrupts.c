#include "twin.h"

#define NWORDS 4
struct vplic { uint32_t pending[NWORDS], claimed[NWORDS], enable[NWORDS]; uint8_t prio[NWORDS * 32]; uint8_t threshold; };

TWIN bool vplic_set(struct vplic *p, unsigned src, bool level)
{
	uint32_t mask = 1u << (src % 32), old = p->pending[src / 32], new;

	new = level ? old | mask : old & ~mask;
	if (new == old)
		return false;
	p->pending[src / 32] = new;
	return p->enable[src / 32] & mask;
}

static unsigned vplic_best(struct vplic *p)
{
	unsigned best = 0, prio = p->threshold;

	for (unsigned w = 0; w < NWORDS; w++) {
		uint32_t ready = p->pending[w] & p->enable[w] & ~p->claimed[w];

		for (unsigned src = w * 32; ready; ready >>= 1, src++) {
			if ((ready & 1) && p->prio[src] > prio) {
				prio = p->prio[src];
				best = src;
			}
		}
	}
	return best;
}

TWIN unsigned vplic_claim(struct vplic *p)
{
	unsigned src = vplic_best(p);

	if (src)
		p->claimed[src / 32] |= 1u << (src % 32);
	return src;
}

TWIN void vplic_complete(struct vplic *p, unsigned src)
{
	if (src == 0 || src >= NWORDS * 32)
		return;
	p->claimed[src / 32] &= ~(1u << (src % 32));
}

void interrupts(int dist)
{
	static const unsigned sources[] = { 11, 40, 127 };
	static struct vplic p;

	memset(&p, 0, sizeof p);
	for (unsigned i = 1; i < 128; i++) {
		p.prio[i] = 1 + i % 7;
		p.enable[i / 32] |= 1u << (i % 32);
	}
	for (int i = 0; i < ROUNDS; i++) {
		unsigned src = 1 + rnd() % sources[dist], got;
		bool wire;

		wire = CALL(vplic_set, &p, src, true);
		if (dist == 2 && i % 2)
			continue;
		got = CALL(vplic_claim, &p);
		note(got * 2 + wire);
		CALL(vplic_set, &p, got ? got : 1, false);
		CALL(vplic_complete, &p, got);
	}
}
