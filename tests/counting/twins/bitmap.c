#include "twin.h"

struct bitmap { uint32_t *map; unsigned nbits; unsigned hint; unsigned free; };

static inline bool test_bit(const uint32_t *map, unsigned n)
{
	return map[n / 32] >> (n % 32) & 1;
}

TWIN long bitmap_alloc(struct bitmap *b, unsigned count)
{
	unsigned start = b->hint, run = 0;

	if (count > b->free)
		return -1;
	for (unsigned tries = b->nbits; tries; tries--) {
		unsigned n = start + run;

		if (n >= b->nbits) {
			start = run = 0;
		} else if (test_bit(b->map, n)) {
			start = n + 1;
			run = 0;
		} else if (++run == count) {
			for (unsigned i = start; i < start + count; i++)
				b->map[i / 32] |= 1u << (i % 32);
			b->hint = start + count;
			b->free -= count;
			return start;
		}
	}
	return -1;
}

TWIN void bitmap_free(struct bitmap *b, unsigned start, unsigned count)
{
	for (unsigned i = start; i < start + count; i++)
		b->map[i / 32] &= ~(1u << (i % 32));
	b->free += count;
	if (start < b->hint)
		b->hint = start;
}

void bitmap(int dist)
{
	static const unsigned longest[] = { 1, 8, 40 };
	static uint32_t map[64];
	static int starts[32], counts[32];
	struct bitmap b = { map, 2048, 0, 2048 };

	for (int i = 0; i < 64; i++)
		map[i] = 0;
	for (int i = 0; i < 32; i++)
		starts[i] = -1;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned slot = rnd() % 32;
		long at;

		if (starts[slot] >= 0)
			CALL(bitmap_free, &b, starts[slot], counts[slot]);
		counts[slot] = 1 + rnd() % longest[dist];
		at = CALL(bitmap_alloc, &b, counts[slot]);
		starts[slot] = at;
		note(at + 1);
	}
}
