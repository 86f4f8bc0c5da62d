#include "handles.h"

static int add_to(struct object *o, unsigned value, unsigned now)
{
	unsigned before = o->total;

	o->total += value;
	if (o->total < before)
		o->wraps++;
	charge(o, KIND_COUNTER, value, now);
	return o->total & 0xff;
}

static int push_to(struct object *o, unsigned value, unsigned now)
{
	unsigned next = (o->head + 1) & (RING - 1);

	if (next == o->tail) {
		o->tail = (o->tail + 1) & (RING - 1);
		o->wraps++;
	}
	o->ring[o->head] = value;
	o->head = next;
	charge(o, KIND_RING, 1, now);
	return (o->head - o->tail) & (RING - 1);
}

static int arm_at(struct object *o, unsigned value, unsigned now)
{
	unsigned due = now + (value & 0x3f);

	if (o->due != 0 && o->due <= now) {
		o->wraps++;
		o->due = 0;
	}
	if (o->due == 0 || due < o->due)
		o->due = due;
	charge(o, KIND_TIMER, 1, now);
	return o->due & 0xff;
}

static int (*const operations[])(struct object *, unsigned, unsigned) = { add_to, push_to, arm_at };

/* A caller does something with what a number of its table stands for, if it may. */
TWIN int use_handle(struct table *t, unsigned caller, unsigned number, unsigned operation, unsigned value, unsigned now)
{
	struct object *o = get_object(t, number);
	int result;

	if (!o)
		return -9;
	if (!may(t, caller, o, operation)) {
		put_object(t, o);
		return -13;
	}
	result = operations[o->kind](o, value, now);
	put_object(t, o);
	return result;
}

TWIN int open_handle(struct table *t, unsigned owner, unsigned kind, unsigned now)
{
	int number = first_free(t);

	if (number < 0)
		return -24;
	reset_object(&t->objects[number], owner, kind, now);
	t->used |= 1u << number;
	return number;
}

TWIN void close_handle(struct table *t, unsigned number)
{
	struct object *o = get_object(t, number);

	if (!o)
		return;
	o->closing = true;
	put_object(t, o);
}

void handles(int dist)
{
	static struct table t;
	static const unsigned sizes[] = { 4, 12, 32 };
	unsigned size = sizes[dist];

	memset(&t, 0, sizeof t);
	for (int i = 0; i < 4; i++)
		t.rights[i] = 0x5a3c96f0u >> i;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned r = rnd(), value = rnd() & 0xffff, number = r % size, what = (r >> 8) % 8;
		int got = 0;

		if (what == 0)
			got = CALL(open_handle, &t, (r >> 12) & 3, (r >> 16) % 3, i + 1);
		else if (what == 1)
			CALL(close_handle, &t, number);
		else
			got = CALL(use_handle, &t, (r >> 12) & 3, number, (r >> 16) & 7, value, i + 1);
		note(got + 32);
	}
}
