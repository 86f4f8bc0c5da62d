#include "twin.h"

struct vring_desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct vring_avail { uint16_t flags, idx, ring[]; };
struct vring_used { uint16_t flags, idx; struct { uint32_t id, len; } ring[]; };

struct vq {
	unsigned num;
	volatile struct vring_desc *desc;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	uint16_t last_avail, used_idx;
};

struct chain { uint16_t head; uint32_t in, out; };

#define mb() __asm__ volatile("fence rw, rw" ::: "memory")

TWIN bool vq_pop(struct vq *vq, struct chain *c)
{
	uint16_t i;
	unsigned n;

	if (vq->avail->idx == vq->last_avail)
		return false;
	mb();
	i = c->head = vq->avail->ring[vq->last_avail++ & (vq->num - 1)];
	c->in = c->out = 0;
	for (n = vq->num; n; n--) {
		volatile struct vring_desc *d;
		uint16_t flags;

		if (i >= vq->num)
			return false;
		d = &vq->desc[i];
		flags = d->flags;
		if (flags & 2)
			c->in += d->len;
		else if (c->in)
			return false;
		else
			c->out += d->len;
		if (!(flags & 1))
			return true;
		i = d->next;
	}
	return false;
}

TWIN bool vq_push(struct vq *vq, unsigned head, uint32_t len)
{
	unsigned slot = vq->used_idx & (vq->num - 1);

	vq->used->ring[slot].id = head;
	vq->used->ring[slot].len = len;
	mb();
	vq->used->idx = ++vq->used_idx;
	return !(vq->avail->flags & 1);
}

void virtqueue_device(int dist)
{
	static const unsigned longest[] = { 1, 3, 12 };
	struct vq vq = { 64, (void *)memory, (void *)(memory + 1024), (void *)(memory + 2048), 0, 0 };
	static struct chain c;

	clear_memory();
	for (int i = 0; i < ROUNDS; i++) {
		unsigned first = rnd() % 48, n = 1 + rnd() % longest[dist];
		bool ok, wants = false;

		for (unsigned k = 0; k < n; k++) {
			vq.desc[first + k].len = 100 + k;
			vq.desc[first + k].flags = (k + 1 < n ? 1 : 0) | (k > 0 ? 2 : 0);
			vq.desc[first + k].next = first + k + 1;
		}
		vq.avail->ring[i % 64] = first;
		vq.avail->idx = i + 1;
		ok = CALL(vq_pop, &vq, &c);
		if (ok)
			wants = CALL(vq_push, &vq, c.head, c.in);
		note(c.in * 4 + ok * 2 + wants);
	}
}
