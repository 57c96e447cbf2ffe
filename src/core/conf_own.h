/* SPDX-License-Identifier: ISC */
#ifndef CORE_CONF_OWN_H
#define CORE_CONF_OWN_H

#include "base/text.h"
#include "core/conf.h"

/* What the files of the module "conf" share; nobody else includes it. */

#define CONF_FILE_MAX 256u /* bytes of a file's name, NUL included */
#define CONF_TOKENS_MAX (CONF_TEXT_MAX / 2 + 1)
#define CONF_RECORDS_MAX                                                       \
	(1 + CONF_NODES_MAX + CONF_GROUPS_MAX + CONF_APPS_MAX +                \
	    CONF_PLUGINS_MAX)
/*
 * Lists are made of what stands in the text.  The worst are words: a letter
 * and a blank become a pointer, the letter and a NUL.
 */
#define CONF_POOL_MAX (8 * CONF_TEXT_MAX)

/* A word of the text: `at` is its place in conf_work.text. */
struct conf_token {
	uint32_t at, line;
	uint32_t equals; /* place in it of the first '=', or NO_EQUALS */
	uint8_t file;
	bool first;  /* of a record */
	bool broken; /* what followed it in its line could not be read */
};
#define CONF_NO_EQUALS UINT32_MAX
#define CONF_ITEM_MAX 256u /* no item of a list with commas is that long */

/* One line that goes on until it ends: tokens[first .. first + len - 1]. */
struct conf_record {
	enum conf_keyword keyword;
	const char *name;
	uint32_t first, len;
	uint32_t keys; /* the first token that is key=value */
	bool broken;   /* some of it could not be read; that was said */
};

struct conf_work {
	char (*files)[CONF_FILE_MAX];
	uint32_t files_len;
	uint32_t line;	/* of the file in hand */
	uint32_t fed;	/* bytes, each line with its newline */
	bool full;	/* more than CONF_TEXT_MAX */
	bool open;	/* the last line ended with a backslash */
	bool begun;	/* and its record has a token already */
	bool skip;	/* what follows belongs to a broken line */
	char *text;
	uint32_t text_len;
	struct conf_token *tokens;
	uint32_t tokens_len;
	struct conf_record *records; /* sorted: by keyword, then name */
	uint32_t records_len;
	uint32_t base[CONF_KEYWORDS]; /* the first record of each keyword */
	char *pool;
	uint32_t pool_used;
};

/* One key of one keyword. */
struct conf_type;
struct conf_key {
	enum conf_keyword keyword;
	const char *name;
	const struct conf_type *type;
	size_t offset; /* of its field, where the type has but one */
	const char *usual; /* canonical; NULL: required, or conf_usual() */
	enum conf_class class;
	const char *expect, *example; /* for errors: "a number ..." */
	uint64_t min, max;
	const char *const *words; /* of an enum, ends with NULL */
	bool required, several, shown;
};
#define CONF_KEYS_LEN 64u /* more than there are */

/* While a value is read: whose, and where it stands. */
struct conf_use {
	struct conf *c;
	const struct conf_key *key;
	uint32_t index;
	void *object;
	struct conf_place place;
	const char *value; /* all of it, for errors */
	uint32_t tokens_len; /* of the record: no more values than that */
};

enum conf_verdict {
	CONF_GOOD,
	CONF_BAD, /* not what the key expects */
	CONF_SAID /* there is an error already that says more */
};

struct conf_type {
	enum conf_verdict (*read)(struct conf_use *u, const char *value);
	/* object: whose; n: which value, 0 unless there are several */
	void (*print)(const struct conf *c, const struct conf_key *k,
	    const void *object, uint32_t n, struct text *out);
};

extern const struct conf_type conf_number, conf_big, conf_word, conf_time,
    conf_size, conf_milli, conf_prob, conf_percent, conf_rate, conf_policy,
    conf_path, conf_label, conf_node_ref, conf_group_ref, conf_storm_type,
    conf_multicast;				       /* conf_value.c */
extern const struct conf_type conf_links, conf_witnesses, conf_addrs,
    conf_ties, conf_groups_of, conf_nodes_of, conf_attrs_of,
    conf_times;					       /* conf_list.c */
extern const struct conf_type conf_spreads, conf_pins, conf_avoid,
    conf_prefer, conf_apart, conf_after;	       /* conf_wish.c */
extern const struct conf_type conf_exec, conf_env;     /* conf_exec.c */

/* conf.c */
void *conf_object(const struct conf *c, enum conf_keyword k, uint32_t i);
void *conf_alloc(struct conf *c, size_t len, size_t size);
/*
 * An error, or a warning, made of parts that end with NULL.  Long parts are
 * cut, so that the remedy is always to be seen.
 */
void conf_say(struct conf *c, struct conf_place place, bool warning,
    const char *const *parts);
#define CONF_ERROR(c, place, ...)                                              \
	conf_say(c, place, false, (const char *const[]){ __VA_ARGS__, NULL })
#define CONF_WARNING(c, place, ...)                                            \
	conf_say(c, place, true, (const char *const[]){ __VA_ARGS__, NULL })
/* The same about the value in hand: "node n1: votes=x" comes first. */
void conf_say_value(struct conf_use *u, const char *const *parts);
#define CONF_VALUE_ERROR(u, ...)                                               \
	conf_say_value(u, (const char *const[]){ __VA_ARGS__, NULL })
static inline void
conf_add(struct conf_set *s, uint32_t i)
{
	s->bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* conf_value.c */
/* The field of that key. */
void *conf_field(const void *object, const struct conf_key *k);
/* "there is no node n9 ...", with what may have been meant. */
void conf_say_unknown(struct conf_use *u, enum conf_keyword k,
    const char *name);

/* conf_list.c */
/* The list in hand names that twice. */
enum conf_verdict conf_say_twice(struct conf_use *u, const char *item);
/* Puts a comma before all but the first. */
void conf_comma(struct text *out);

/* conf_text.c */
struct conf_place conf_token_place(const struct conf *c,
    const struct conf_token *t);
/* No file goes on in the next one. */
void conf_text_end(struct conf *c);
/*
 * The next item of a list with commas into out[size], cut there; false at the
 * end.  *at goes from 0 to behind the text.
 */
bool conf_next(const char *list, size_t *at, char *out, size_t size);

/* conf_near.c */
/* How many letters differ; CONF_FAR if too many to have been meant. */
#define CONF_FAR 3u
unsigned conf_distance(const char *name, const char *meant);

/* conf_key.c */
const struct conf_key *conf_key(uint32_t row); /* NULL at the end */
uint32_t conf_key_row(const struct conf_key *k);
const struct conf_key *conf_key_find(enum conf_keyword k, const char *name);
/* The text of a key that nobody gave, for this object. */
void conf_usual(const struct conf *c, const struct conf_key *k,
    const void *object, struct text *out);

/* conf_link.c: what follows from what was said. */
void conf_link_attrs(struct conf *c);
void conf_link_groups(struct conf *c);
void conf_link_apps(struct conf *c);

/* conf_check.c */
void conf_check(struct conf *c);
/* conf_check_app.c */
void conf_check_apps(struct conf *c);
void conf_warn_apps(struct conf *c);

#endif
