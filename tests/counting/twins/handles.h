/* Numbers that stand for objects, in the manner of a kernel's open files: two files, so that nothing is inlined between them. */
#include "twin.h"

#define RING 8

enum { KIND_COUNTER, KIND_RING, KIND_TIMER };

struct object {
	unsigned kind, owner, users;
	bool closing;
	unsigned total, wraps, due, head, tail;
	unsigned ring[RING];
	unsigned spent[3], last, average;
};

struct table {
	uint32_t used;
	unsigned rights[4];
	unsigned refused, freed;
	struct object objects[32];
};

struct object *get_object(struct table *t, unsigned number);
void put_object(struct table *t, struct object *o);
bool may(struct table *t, unsigned caller, const struct object *o, unsigned operation);
void charge(struct object *o, unsigned kind, unsigned amount, unsigned now);
int first_free(const struct table *t);
void reset_object(struct object *o, unsigned owner, unsigned kind, unsigned now);
