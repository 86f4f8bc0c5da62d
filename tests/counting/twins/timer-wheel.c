#include "twin.h"

struct timer { struct timer *next, **pprev; int due; };
struct wheel { int now, armed; struct timer *slot[64]; };

TWIN void timer_del(struct wheel *w, struct timer *t)
{
	if (!t->pprev)
		return;
	*t->pprev = t->next;
	if (t->next)
		t->next->pprev = t->pprev;
	t->pprev = NULL;
	w->armed--;
}

TWIN void timer_add(struct wheel *w, struct timer *t, int due)
{
	struct timer **head;

	if (t->pprev)
		timer_del(w, t);
	if (due <= w->now)
		due = w->now + 1;
	head = &w->slot[due % 64u];
	t->due = due;
	t->next = *head;
	t->pprev = head;
	if (*head)
		(*head)->pprev = &t->next;
	*head = t;
	w->armed++;
}

TWIN int wheel_tick(struct wheel *w)
{
	struct timer *t, *next;
	int now = ++w->now, fired = 0;

	for (t = w->slot[now % 64u]; t; t = next) {
		next = t->next;
		if (t->due <= now) {
			timer_del(w, t);
			fired++;
		}
	}
	return fired;
}

void timer_wheel(int dist)
{
	static const unsigned count[] = { 4, 64, 64 }, reach[] = { 20, 60, 400 };
	static struct wheel w;
	static struct timer t[64];

	memset(&w, 0, sizeof w);
	memset(t, 0, sizeof t);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned which = rnd() % count[dist];
		unsigned what = rnd() % 4;
		unsigned due = w.now + rnd() % reach[dist];
		int fired = 0;

		if (what == 0)
			CALL(timer_del, &w, &t[which]);
		else if (what == 1)
			fired = CALL(wheel_tick, &w);
		else
			CALL(timer_add, &w, &t[which], due);
		note(fired * 100 + w.armed);
	}
}
