#include "twin.h"

typedef uint64_t pte_t;
#define PTE_V 1ul
#define PTE_RWX 0xeul
#define PAGE_SHIFT 12
#define PTE_PFN_SHIFT 10

struct table_pool { char *next, *end; };

static pte_t *table_of(pte_t pte)
{
	return (pte_t *)((pte >> PTE_PFN_SHIFT) << PAGE_SHIFT);
}

TWIN int map_page(struct table_pool *pool, pte_t *root, uint64_t va, uint64_t pa, uint64_t prot)
{
	pte_t *table = root;

	for (int level = 2; level > 0; level--) {
		volatile pte_t *pte = &table[(va >> (PAGE_SHIFT + 9 * level)) & 511];
		pte_t v = *pte;

		if (!(v & PTE_V)) {
			if (pool->next == pool->end)
				return -1;
			table = (pte_t *)pool->next;
			pool->next += 1 << PAGE_SHIFT;
			*pte = ((uint64_t)table >> PAGE_SHIFT << PTE_PFN_SHIFT) | PTE_V;
		} else if (v & PTE_RWX) {
			return -1;
		} else {
			table = table_of(v);
		}
	}
	*(volatile pte_t *)&table[(va >> PAGE_SHIFT) & 511] = (pa >> PAGE_SHIFT << PTE_PFN_SHIFT) | prot;
	return 0;
}

TWIN int64_t look_up(pte_t *root, uint64_t va)
{
	volatile pte_t *table = root;

	for (int level = 2; level >= 0; level--) {
		int shift = PAGE_SHIFT + 9 * level;
		pte_t pte = table[(va >> shift) & 511];

		if (!(pte & PTE_V))
			return -1;
		if (pte & PTE_RWX)
			return (uint64_t)table_of(pte) + (va & ((1ul << shift) - 1));
		table = table_of(pte);
	}
	return -1;
}

void page_walk(int dist)
{
	static const uint64_t spans[] = { 64, 4096, 1 << 18 };
	struct table_pool pool = { (char *)memory + 4096, (char *)memory + 256 * 4096 };

	clear_memory();
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t va = (uint64_t)(rnd() % spans[dist]) << 12, pa = (uint64_t)(rnd() % 65536) << 12;
		int e;
		int64_t at;

		if (i % 2 == 0) {
			e = CALL(map_page, &pool, (pte_t *)memory, va, pa, 0xcf);
			note(e ? 1 : 2);
		} else {
			at = CALL(look_up, (pte_t *)memory, va + 0x123);
			note(at < 0 ? 1 : at >> 12);
		}
	}
}
