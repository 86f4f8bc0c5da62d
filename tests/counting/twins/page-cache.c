#include "twin.h"

struct page { int file, index; struct page *hash_next, *prev, *next; };
struct cache { struct page *hash[256]; struct page lru; unsigned misses; };

static struct page **bucket(struct cache *c, int file, int index)
{
	return &c->hash[((uint32_t)index + (uint32_t)file * 61) * 0x61c88647u >> 24];
}

static void lru_del(struct page *p)
{
	p->prev->next = p->next;
	p->next->prev = p->prev;
}

static void lru_add(struct cache *c, struct page *p)
{
	p->next = c->lru.next;
	p->prev = &c->lru;
	c->lru.next->prev = p;
	c->lru.next = p;
}

TWIN struct page *page_find(struct cache *c, int file, int index)
{
	struct page *p;

	for (p = *bucket(c, file, index); p; p = p->hash_next)
		if (p->index == index && p->file == file)
			break;
	if (p && p != c->lru.next) {
		lru_del(p);
		lru_add(c, p);
	}
	return p;
}

TWIN struct page *page_replace(struct cache *c, int file, int index)
{
	struct page *p = c->lru.prev, **head;

	if (p->file != -1) {
		struct page **link = bucket(c, p->file, p->index);

		while (*link != p)
			link = &(*link)->hash_next;
		*link = p->hash_next;
	}
	p->file = file;
	p->index = index;
	head = bucket(c, file, index);
	p->hash_next = *head;
	*head = p;
	lru_del(p);
	lru_add(c, p);
	c->misses++;
	return p;
}

void page_cache(int dist)
{
	static const unsigned range[] = { 100, 300, 2000 };
	static struct cache c;
	static struct page pages[256];

	memset(&c, 0, sizeof c);
	c.lru.next = c.lru.prev = &c.lru;
	for (int i = 0; i < 256; i++) {
		pages[i].file = -1;
		lru_add(&c, &pages[i]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		int file = rnd() % 3, index = rnd() % range[dist];
		struct page *p;

		p = CALL(page_find, &c, file, index);
		if (!p)
			p = CALL(page_replace, &c, file, index);
		note(p - pages);
	}
}
