#include "twin.h"

struct rq_entry { uint64_t vtime; uint32_t weight; bool runnable; };
struct rq { unsigned nr; uint64_t min_vtime; struct rq_entry e[16]; };

TWIN int rq_pick(struct rq *rq)
{
	struct rq_entry *best = NULL;

	for (unsigned i = 0; i < rq->nr; i++) {
		struct rq_entry *e = &rq->e[i];

		if (!e->runnable)
			continue;
		if (!best || e->vtime < best->vtime)
			best = e;
	}
	if (!best)
		return -1;
	if (best->vtime > rq->min_vtime)
		rq->min_vtime = best->vtime;
	return best - rq->e;
}

TWIN void rq_charge(struct rq *rq, unsigned vcpu, uint64_t ran)
{
	struct rq_entry *e;

	if (vcpu >= rq->nr)
		return;
	e = &rq->e[vcpu];
	e->vtime += ran * 1024 / e->weight;
	if (e->vtime < rq->min_vtime)
		e->vtime = rq->min_vtime;
}

static struct rq rq;

void scheduler(int dist)
{
	static const unsigned counts[] = { 2, 6, 16 };

	rq.nr = counts[dist];
	rq.min_vtime = 0;
	for (unsigned i = 0; i < rq.nr; i++)
		rq.e[i] = (struct rq_entry){ 0, 256u << (i % 4), true };
	for (int i = 0; i < ROUNDS; i++) {
		unsigned which = rnd() % rq.nr, ran;
		int next;

		rq.e[which].runnable = rnd() % 4 != 0;
		next = CALL(rq_pick, &rq);
		note(next + 1);
		ran = 1000 + rnd() % 5000;
		CALL(rq_charge, &rq, next, ran);
	}
}
