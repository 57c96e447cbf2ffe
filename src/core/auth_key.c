/* SPDX-License-Identifier: ISC */
/*
 * The keyring.  Of a key only its mac_root is kept, from which the keys of
 * nodes, classes and streams are derived; a removed one leaves no copy.
 * Exactly one sends, from the first on, so that a frame can be sealed when
 * there is a key at all.  A serial tells apart two keys that had the same id
 * one after the other: what was derived from the first is never taken for
 * the second's.
 */
#include "core/auth.h"

#include <string.h>

/* Its place, or AUTH_KEYS_MAX. */
static unsigned
place_of(const struct auth *a, uint16_t id)
{
	unsigned i;

	for (i = 0; i < AUTH_KEYS_MAX; i++)
		if (a->keys[i].state != AUTH_KEY_NONE && a->keys[i].id == id)
			return i;
	return AUTH_KEYS_MAX;
}

static unsigned
place_with(const struct auth *a, enum auth_key_state state)
{
	unsigned i;

	for (i = 0; i < AUTH_KEYS_MAX; i++)
		if (a->keys[i].state == state)
			return i;
	return AUTH_KEYS_MAX;
}

const struct auth_key *
auth_key_find(const struct auth *a, uint16_t id)
{
	unsigned i = place_of(a, id);

	return i == AUTH_KEYS_MAX ? NULL : &a->keys[i];
}

const struct auth_key *
auth_key_sending(const struct auth *a)
{
	unsigned i = place_with(a, AUTH_KEY_SEND);

	return i == AUTH_KEYS_MAX ? NULL : &a->keys[i];
}

const struct auth_key *
auth_key_at(const struct auth *a, unsigned place, uint64_t *opened)
{
	if (place >= AUTH_KEYS_MAX || a->keys[place].state == AUTH_KEY_NONE)
		return NULL;
	*opened = a->counts.opened[place];
	return &a->keys[place];
}

/* Makes it the one that sends, with what datagrams of ours are sealed by. */
static void
send_with(struct auth *a, struct auth_key *k)
{
	k->state = AUTH_KEY_SEND;
	auth_tags(a, k, a->conf.node, a->conf.epoch, AUTH_UNICAST,
	    &a->tags[AUTH_UNICAST]);
	auth_tags(a, k, a->conf.node, a->conf.epoch, AUTH_MULTICAST,
	    &a->tags[AUTH_MULTICAST]);
}

bool
auth_key_add(struct auth *a, uint16_t id, const uint8_t key[MAC_KEY])
{
	unsigned i = place_with(a, AUTH_KEY_NONE);

	if (id == 0 || i == AUTH_KEYS_MAX || place_of(a, id) != AUTH_KEYS_MAX)
		return false;
	a->keys[i].id = id;
	a->keys[i].serial = ++a->serials;
	mac_root_init(&a->keys[i].root, key);
	a->counts.opened[i] = 0;
	if (auth_key_sending(a) == NULL)
		send_with(a, &a->keys[i]);
	else
		a->keys[i].state = AUTH_KEY_RECEIVE;
	return true;
}

bool
auth_key_use(struct auth *a, uint16_t id)
{
	unsigned i = place_of(a, id);

	if (i == AUTH_KEYS_MAX)
		return false;
	a->keys[place_with(a, AUTH_KEY_SEND)].state = AUTH_KEY_RECEIVE;
	send_with(a, &a->keys[i]);
	return true;
}

/* What was derived from it, for those who sent with it. */
static void
forget_tags(struct auth *a, uint64_t serial)
{
	struct auth_window *w;
	uint32_t i, class;

	for (i = 0; i < a->conf.nodes_max; i++)
		for (class = 0; class < AUTH_CLASSES; class++) {
			w = &a->senders[i].windows[class];
			if (w->serial != serial)
				continue;
			mac_wipe(&w->tags, sizeof(w->tags));
			w->serial = 0;
		}
}

bool
auth_key_remove(struct auth *a, uint16_t id)
{
	unsigned i = place_of(a, id);

	if (i == AUTH_KEYS_MAX || a->keys[i].state == AUTH_KEY_SEND)
		return false;
	forget_tags(a, a->keys[i].serial);
	mac_wipe(&a->keys[i], sizeof(a->keys[i]));
	a->counts.opened[i] = 0;
	return true;
}
