/* SPDX-License-Identifier: ISC */
/*
 * The description of a program on its way from the owner of a job to the
 * keepers of its replicas.  Arguments and environment may be large (a shell
 * lets them be megabytes), so they travel in pieces and are never stored in
 * a daemon.
 */
#include "lib/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/wr.h"
#include "sys/fd.h"
#include "sys/path.h"

#define PIECE (UINT32_C(256) << 10)

/* Limits by place on the wire, because their numbers differ by system. */
static const int limits[] = {
	RLIMIT_CORE,
	RLIMIT_CPU,
	RLIMIT_DATA,
	RLIMIT_FSIZE,
	RLIMIT_NOFILE,
	RLIMIT_STACK,
#ifdef RLIMIT_AS
	RLIMIT_AS,
#else
	-1,
#endif
#ifdef RLIMIT_MEMLOCK
	RLIMIT_MEMLOCK,
#else
	-1,
#endif
#ifdef RLIMIT_NPROC
	RLIMIT_NPROC,
#else
	-1,
#endif
};
#define LIMITS_LEN (sizeof(limits) / sizeof(limits[0]))
_Static_assert(LIMITS_LEN <= SPEC_LIMITS_MAX, "limits fit");

void
spec_init(struct spec *s)
{
	memset(s, 0, sizeof(*s));
	s->dir = -1;
	s->umask = -1;
	s->nice = SPAWN_NICE_KEEP;
}

void
spec_free(struct spec *s)
{
	size_t i;

	for (i = 0; i < s->extra; i++)
		free(s->envp[s->envs_len - 1 - i]);
	free(s->argv);
	free(s->envp);
	free(s->text);
	if (s->dir != -1)
		close(s->dir);
	spec_init(s);
}

/* RLIM_INFINITY is all ones on the wire. */
static uint64_t
limit_out(rlim_t v)
{
	return v == RLIM_INFINITY ? UINT64_MAX : (uint64_t)v;
}

static rlim_t
limit_in(uint64_t v)
{
	return v == UINT64_MAX ? RLIM_INFINITY : (rlim_t)v;
}

static void
take_limits(struct spec *s, const uint8_t *p, size_t size)
{
	struct rd r;
	uint8_t which;
	uint64_t cur, max;

	rd_init(&r, p, size);
	s->limits_len = 0;
	while (rd_left(&r) > 0 && s->limits_len < SPEC_LIMITS_MAX) {
		which = rd_u8(&r);
		cur = rd_u64(&r);
		max = rd_u64(&r);
		if (rd_bad(&r) || which >= LIMITS_LEN || limits[which] == -1)
			continue;
		s->limits[s->limits_len].resource = limits[which];
		s->limits[s->limits_len].value.rlim_cur = limit_in(cur);
		s->limits[s->limits_len].value.rlim_max = limit_in(max);
		s->limits_len++;
	}
}

/* Pointers to each text of the payload: argc arguments, the rest is env. */
static enum spec_verdict
index_text(struct spec *s)
{
	size_t i, n = 0, at = 0;

	if (s->text_size == 0 || s->text[s->text_size - 1] != '\0')
		return SPEC_BAD;
	for (i = 0; i < s->text_size; i++)
		n += s->text[i] == '\0';
	if (s->argc == 0 || n < s->argc)
		return SPEC_BAD;
	s->envs_len = n - s->argc;
	s->argv = calloc(s->argc + 1, sizeof(*s->argv));
	s->envp = calloc(s->envs_len + 3, sizeof(*s->envp));
	if (s->argv == NULL || s->envp == NULL)
		return SPEC_BAD;
	for (i = 0; i < n; i++) {
		if (i < s->argc)
			s->argv[i] = s->text + at;
		else
			s->envp[i - s->argc] = s->text + at;
		at += strlen(s->text + at) + 1;
	}
	return SPEC_WHOLE;
}

enum spec_verdict
spec_take(struct spec *s, const struct wire_msg *m, int *fds, size_t fds_len)
{
	char *text;

	if (s->argv != NULL ||
	    s->text_size + m->payload_size > SPEC_PAYLOAD_MAX)
		return SPEC_BAD;
	if (fds_len > 0 && s->dir == -1) {
		s->dir = fds[0];
		fds[0] = -1;
	}
	if (wire_has(m, TLV_UMASK))
		s->umask = (int)wire_num(m, TLV_UMASK);
	if (wire_has(m, TLV_NICE))
		s->nice = (int)wire_num(m, TLV_NICE) - 64;
	if (wire_has(m, TLV_STDIO))
		s->stdio = (unsigned)wire_num(m, TLV_STDIO);
	if (wire_has(m, TLV_LIMITS))
		take_limits(s, m->tlv[TLV_LIMITS].p, m->tlv[TLV_LIMITS].size);
	s->argc = (uint32_t)wire_num(m, TLV_ARGC);
	text = realloc(s->text, s->text_size + m->payload_size + 1);
	if (text == NULL)
		return SPEC_BAD;
	s->text = text;
	memcpy(s->text + s->text_size, m->payload, m->payload_size);
	s->text_size += m->payload_size;
	return (m->h.flags & WIRE_FLAG_MORE) ? SPEC_MORE : index_text(s);
}

int
spec_env(struct spec *s, const char *name, const char *value)
{
	size_t i, len = strlen(name), size = len + strlen(value) + 2;
	char *text = malloc(size);

	if (text == NULL)
		return -1;
	(void)snprintf(text, size, "%s=%s", name, value);
	for (i = 0; i < s->envs_len; i++)
		if (strncmp(s->envp[i], name, len) == 0 &&
		    s->envp[i][len] == '=')
			break;
	if (i == s->envs_len) {
		/* Room for two was made. */
		if (s->extra == 2) {
			free(text);
			errno = ENOMEM;
			return -1;
		}
		s->envs_len++;
		s->extra++;
	} else if (i >= s->envs_len - s->extra) {
		free(s->envp[i]);
	} else {
		/* One of the payload: its place becomes one of ours. */
		memmove(&s->envp[i], &s->envp[i + 1],
		    (s->envs_len - i) * sizeof(*s->envp));
		s->envs_len--;
		free(text);
		return spec_env(s, name, value);
	}
	s->envp[i] = text;
	return 0;
}

static size_t
put_limits(const struct spec *s, uint8_t *out, size_t size)
{
	struct wr w;
	size_t i, k;

	wr_init(&w, out, size);
	for (i = 0; i < s->limits_len; i++)
		for (k = 0; k < LIMITS_LEN; k++)
			if (limits[k] == s->limits[i].resource) {
				wr_u8(&w, (uint8_t)k);
				wr_u64(
				    &w, limit_out(s->limits[i].value.rlim_cur));
				wr_u64(
				    &w, limit_out(s->limits[i].value.rlim_max));
			}
	return wr_size(&w);
}

bool
spec_send(const struct spec *s,
    bool (*send)(void *arg, const void *frame, size_t size, int dir), void *arg)
{
	uint8_t lim[512], *frame = malloc(PIECE + 1024);
	struct wire_header h = { .type = WIRE_SPEC };
	size_t at = 0, n, size, lim_size = put_limits(s, lim, sizeof(lim));
	struct wr w;
	bool good = frame != NULL;

	while (good && at < s->text_size) {
		n = s->text_size - at < PIECE ? s->text_size - at : PIECE;
		h.flags = at + n < s->text_size ? WIRE_FLAG_MORE : 0;
		wire_begin(&w, frame, 1024, &h);
		wr_tlv_u32(&w, TLV_ARGC, s->argc);
		if (at == 0) {
			wr_tlv_u16(&w, TLV_UMASK, (uint16_t)s->umask);
			wr_tlv_u8(&w, TLV_NICE, (uint8_t)(s->nice + 64));
			wr_tlv_u8(&w, TLV_STDIO, (uint8_t)s->stdio);
			wr_tlv(&w, TLV_LIMITS, lim, lim_size);
		}
		size = wr_size(&w);
		good = wire_end(&w, n) == size + n;
		memcpy(frame + size, s->text + at, n);
		good =
		    good && send(arg, frame, size + n, at == 0 ? s->dir : -1);
		at += n;
	}
	free(frame);
	return good;
}

void
spec_mine(struct spec *s)
{
	mode_t mask = umask(0);
	size_t i;

	(void)umask(mask);
	s->umask = (int)mask;
	errno = 0;
	s->nice = getpriority(PRIO_PROCESS, 0);
	s->limits_len = 0;
	for (i = 0; i < LIMITS_LEN; i++) {
		if (limits[i] == -1)
			continue;
		s->limits[s->limits_len].resource = limits[i];
		if (getrlimit(limits[i], &s->limits[s->limits_len].value) == 0)
			s->limits_len++;
	}
}

static int
one_pipe(int *theirs, int *ours, bool they_read)
{
	int fd[2];

	if (fd_pipe(fd) == -1)
		return -1;
	*theirs = fd[they_read ? 0 : 1];
	*ours = fd[they_read ? 1 : 0];
	return 0;
}

int
spec_pipes(unsigned stdio, int child[3], int ours[3])
{
	int i, saved;

	if (((stdio & SPEC_STDIN) == 0 ||
		one_pipe(&child[0], &ours[0], true) == 0) &&
	    one_pipe(&child[1], &ours[1], false) == 0 &&
	    ((stdio & SPEC_STDERR) == 0 ||
		one_pipe(&child[2], &ours[2], false) == 0))
		return 0;
	saved = errno;
	for (i = 0; i < 3; i++) {
		if (child[i] != -1)
			close(child[i]);
		if (ours[i] != -1)
			close(ours[i]);
		child[i] = ours[i] = -1;
	}
	errno = saved;
	return -1;
}

int
spec_fds(int ours[3])
{
	int n = 0, i;

	for (i = 0; i < 3; i++)
		if (ours[i] != -1)
			ours[n++] = ours[i];
	return n;
}

int
spec_socket(const char *run, uint64_t job, char *path)
{
	char name[32];

	(void)snprintf(
	    name, sizeof(name), "io.%016llx", (unsigned long long)job);
	return path_join(run, name, path);
}
