#include "twin.h"

struct cqe { uint32_t result, rsvd; uint16_t sq_head, sq_id; uint32_t cid_status; };
struct request { int busy; int status; };
struct cq { volatile struct cqe *cqes; volatile uint32_t *db; uint16_t head, depth; uint8_t phase; unsigned errors; struct request *reqs; };

static void complete_rq(struct cq *q, uint32_t w)
{
	uint16_t tag = w;
	struct request *rq;

	if (tag >= q->depth)
		return;
	rq = &q->reqs[tag];
	if (!rq->busy)
		return;
	rq->busy = 0;
	rq->status = w >> 17 & 0x7ff;
	if (rq->status)
		q->errors++;
}

TWIN int poll_queue(struct cq *q, int budget)
{
	int done;

	for (done = 0; done < budget; done++) {
		uint32_t w = q->cqes[q->head].cid_status;

		if ((w >> 16 & 1) != q->phase)
			break;
		complete_rq(q, w);
		if (++q->head == q->depth) {
			q->head = 0;
			q->phase ^= 1;
		}
	}
	if (done)
		*q->db = q->head;
	return done;
}

void nvme_poll(int dist)
{
	static const unsigned burst[] = { 1, 2, 12 };
	static struct request reqs[32];
	struct cq q = { (void *)memory, (void *)(memory + 4096), 0, 32, 1, 0, reqs };
	unsigned at = 0, phase = 1;

	memset(reqs, 0, sizeof reqs);
	clear_memory();
	for (int i = 0; i < ROUNDS; i++) {
		unsigned n = dist == 0 ? i % 2 : rnd() % (burst[dist] + 1);
		int done;

		for (unsigned k = 0; k < n; k++) {
			unsigned tag = rnd() % 33;

			if (tag < 32)
				reqs[tag].busy = 1;
			q.cqes[at].cid_status = tag | phase << 16 | (rnd() % 16 == 0 ? 0x281u << 17 : 0);
			if (++at == 32) {
				at = 0;
				phase ^= 1;
			}
		}
		done = CALL(poll_queue, &q, 16);
		note(done * 64 + q.head);
	}
}
