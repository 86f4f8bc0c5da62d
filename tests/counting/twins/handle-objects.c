#include "handles.h"

struct object *get_object(struct table *t, unsigned number)
{
	struct object *o;

	if (number >= 32 || !(t->used & (1u << number)))
		return NULL;
	o = &t->objects[number];
	if (o->closing)
		return NULL;
	o->users++;
	return o;
}

static void free_object(struct table *t, struct object *o)
{
	t->used &= ~(1u << (o - t->objects));
	t->freed++;
}

void put_object(struct table *t, struct object *o)
{
	o->users--;
	if (o->closing && o->users == 0)
		free_object(t, o);
}

bool may(struct table *t, unsigned caller, const struct object *o, unsigned operation)
{
	if (caller == o->owner)
		return true;
	if (t->rights[caller] & (1u << (o->kind * 8 + operation)))
		return true;
	t->refused++;
	return false;
}

void charge(struct object *o, unsigned kind, unsigned amount, unsigned now)
{
	unsigned passed = now - o->last;

	o->spent[kind] += amount;
	o->last = now;
	while (passed > 0 && o->average > 0) {
		o->average -= (o->average + 7) >> 3;
		passed--;
	}
	o->average += amount;
}

int first_free(const struct table *t)
{
	for (int i = 0; i < 32; i++)
		if (!(t->used & (1u << i)))
			return i;
	return -1;
}

void reset_object(struct object *o, unsigned owner, unsigned kind, unsigned now)
{
	o->kind = kind;
	o->owner = owner;
	o->users = 0;
	o->closing = false;
	o->total = 0;
	o->wraps = 0;
	o->due = 0;
	o->head = 0;
	o->tail = 0;
	o->last = now;
	o->average = 0;
}
