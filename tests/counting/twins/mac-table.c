#include "twin.h"

struct fdb_entry { uint64_t mac; int32_t port; int32_t seen; };
struct fdb { struct fdb_entry e[64][4]; int learned; };

static inline unsigned fdb_hash(uint64_t mac)
{
	uint32_t h = (uint32_t)mac ^ (uint32_t)(mac >> 32);

	return h * 0x9e3779b1u >> 26;
}

TWIN int fdb_find(struct fdb *fdb, uint64_t mac)
{
	struct fdb_entry *e = fdb->e[fdb_hash(mac)];

	for (int i = 0; i < 4; i++)
		if (e[i].mac == mac)
			return e[i].port;
	return -1;
}

TWIN void fdb_learn(struct fdb *fdb, uint64_t mac, int port, int now)
{
	struct fdb_entry *e = fdb->e[fdb_hash(mac)], *old = e;

	for (int i = 0; i < 4; i++) {
		if (e[i].mac == mac) {
			e[i].port = port;
			e[i].seen = now;
			return;
		}
		if (e[i].seen < old->seen)
			old = &e[i];
	}
	*old = (struct fdb_entry){ mac, port, now };
	fdb->learned++;
}

void mac_table(int dist)
{
	static const unsigned stations[] = { 8, 100, 4000 };
	static struct fdb fdb;

	memset(&fdb, 0, sizeof fdb);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned from = rnd() % stations[dist] + 1, to = rnd() % stations[dist] + 1;
		int port;

		CALL(fdb_learn, &fdb, 0x525400000000ul | from * 2654435761u % 0xffffffff, from % 8, i + 1);
		port = CALL(fdb_find, &fdb, 0x525400000000ul | to * 2654435761u % 0xffffffff);
		note(port + 1);
	}
}
