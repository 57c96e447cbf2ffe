/* SPDX-License-Identifier: ISC */
/*
 * The picture's side of orcm-pnpd: records come in from their writers and
 * go out to whoever subscribed to their kind.
 */
#include "pnpd/pnpd.h"

#include <string.h>

void
pnpd_begin(const struct pnpd *p, struct wr *w, uint8_t *frame,
    enum wire_type type, uint16_t flags)
{
	struct wire_header h = {
		.type = (uint8_t)type,
		.flags = flags,
		.sender = (uint32_t)p->dvm.number << 16,
		.epoch = p->epoch,
	};

	wire_begin(w, frame, WIRE_CONTROL_MAX, &h);
}

void
pnpd_send(struct peer *c, struct wr *w, uint8_t *frame)
{
	size_t size = wire_end(w, 0);

	if (size > 0)
		(void)conn_send(&c->conn, frame, size);
}

void
pnpd_record(const struct pnpd *p, const struct picture_record *r,
    struct wr *w, uint8_t *frame)
{
	pnpd_begin(p, w, frame, WIRE_RECORD, r->dead ? WIRE_FLAG_DEAD : 0);
	wr_tlv_u16(w, TLV_OWNER, r->owner);
	wr_tlv_u8(w, TLV_KIND, r->kind);
	wr_tlv_u64(w, TLV_ID, r->id);
	wr_tlv_u64(w, TLV_EPOCH, r->epoch);
	wr_tlv_u64(w, TLV_SEQ, r->seq);
	if (!r->dead)
		wr_tlv(w, TLV_VALUE, r->value, r->value_size);
}

void
pnpd_tell_record(struct pnpd *p, const struct picture_record *r)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;
	size_t size;
	uint32_t i;

	pnpd_record(p, r, &w, frame);
	size = wire_end(&w, 0);
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p->peers[i].used &&
		    (p->peers[i].kinds & RECORD_BIT(r->kind)))
			(void)conn_send(&p->peers[i].conn, frame, size);
}

void
pnpd_tell(struct pnpd *p, uint32_t at)
{
	pnpd_tell_record(p, picture_at(&p->picture, at));
	dvm_changed(&p->dvm);
}

void
pnpd_put_own(struct pnpd *p, uint8_t kind, uint64_t id, const uint8_t *value,
    size_t size)
{
	uint32_t at;

	if (picture_put(&p->picture, WRITER_SELF, kind, id, value, size, &at) ==
	    PICTURE_CHANGED)
		pnpd_tell(p, at);
}

void
pnpd_del_own(struct pnpd *p, uint8_t kind, uint64_t id)
{
	uint32_t at;

	if (picture_del(&p->picture, WRITER_SELF, kind, id, &at) ==
	    PICTURE_CHANGED)
		pnpd_tell(p, at);
}

void
pnpd_refuse(struct peer *c, uint32_t code, const char *text)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	pnpd_begin(c->p, &w, frame, WIRE_REFUSED, 0);
	wr_tlv_u16(&w, TLV_CODE, (uint16_t)code);
	wr_tlv_str(&w, TLV_TEXT, text);
	pnpd_send(c, &w, frame);
}

/* Who may write which records. */
static bool
may_write(uint32_t writer, uint64_t kind)
{
	switch (kind) {
	case RECORD_PROC:
		return writer == WRITER_ORCMD;
	case RECORD_LEAD:
		return writer == WRITER_LEADERD;
	case RECORD_JOB:
	case RECORD_FLOW:
		return writer >= WRITER_CLIENT;
	default:
		return false;
	}
}

/* Two jobs of one name could not be told apart by a shell script. */
static bool
name_taken(
    struct pnpd *p, uint32_t writer, uint64_t id, const struct record_job *job)
{
	const struct picture_record *r;
	struct record_job other;
	uint32_t place = 0;

	while ((r = picture_next(
		    &p->picture, RECORD_BIT(RECORD_JOB), &place)) != NULL)
		if ((r->id != id || r->writer != writer) &&
		    record_job_get(&other, r->value, r->value_size) &&
		    strcmp(other.name, job->name) == 0)
			return true;
	return false;
}

void
pnpd_put(struct pnpd *p, struct peer *c, const struct wire_msg *m)
{
	uint8_t kind = (uint8_t)wire_num(m, TLV_KIND);
	uint64_t id = wire_num(m, TLV_ID);
	const uint8_t *value = m->tlv[TLV_VALUE].p;
	size_t size = m->tlv[TLV_VALUE].size;
	struct record_job job;
	uint32_t at;

	if (!may_write(c->writer, kind)) {
		pnpd_refuse(
		    c, 1, "this program may not write records of this kind");
		return;
	}
	if (kind == RECORD_JOB) {
		if (!record_job_get(&job, value, size)) {
			pnpd_refuse(c, 1, "the job's record is not whole");
			return;
		}
		if (name_taken(p, c->writer, id, &job)) {
			pnpd_refuse(c, 1,
			    "a job of that name is running: choose "
			    "another with -j");
			return;
		}
	}
	switch (
	    picture_put(&p->picture, c->writer, kind, id, value, size, &at)) {
	case PICTURE_CHANGED:
		pnpd_tell(p, at);
		break;
	case PICTURE_SAME:
		break;
	case PICTURE_DENIED:
		pnpd_refuse(c, 1, "another program's record");
		break;
	case PICTURE_FULL:
		pnpd_refuse(c, 111, "the picture is full: too many jobs");
		break;
	}
}

void
pnpd_sub(struct pnpd *p, struct peer *c, const struct wire_msg *m)
{
	const struct picture_record *r;
	uint8_t frame[WIRE_CONTROL_MAX];
	uint32_t place, kind;
	struct wr w;

	c->kinds = (uint32_t)wire_num(m, TLV_KINDS);
	/* Kind by kind: what speaks of a job comes after the job itself. */
	for (kind = RECORD_NODE; kind <= RECORD_KIND_LAST; kind++)
		for (place = 0;
		     (r = picture_next(&p->picture, c->kinds & RECORD_BIT(kind),
			  &place)) != NULL;) {
			pnpd_record(p, r, &w, frame);
			pnpd_send(c, &w, frame);
		}
	if (c->kinds & RECORD_BIT(RECORD_SEEN))
		view_tell(&p->dvm, c);
	if (c->kinds & CLIENT_SUB_EVENTS)
		pnpd_history(p, c);
	pnpd_begin(p, &w, frame, WIRE_SYNCED, 0);
	wr_tlv_u32(&w, TLV_KINDS, c->kinds);
	pnpd_send(c, &w, frame);
}
