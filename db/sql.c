/*
 * Parameters and result rows; see sql.h.  Knows the binary form of the few
 * types we use, nothing of connections.
 */
#include "db/sql.h"

#include <endian.h>
#include <string.h>

#include "db/pgtype.h"

struct db_param
db_bytes(struct bytes b)
{
	return (struct db_param){.type = 'b', .octets = b};
}

struct db_param
db_bytes_or_null(struct bytes b)
{
	return (struct db_param){.type = 'b', .null = b.n == 0, .octets = b};
}

struct db_param
db_octets(const unsigned char *p, size_t n)
{
	return db_bytes((struct bytes){p, n});
}

struct db_param
db_text(const char *s)
{
	if (s == NULL)
		return (struct db_param){.type = 't', .null = true};
	return (struct db_param){.type = 't', .octets = bytes_of(s)};
}

struct db_param
db_id(const struct subject_id *id)
{
	if (id == NULL)
		return (struct db_param){.type = 'b', .null = true};
	return db_octets(id->octets, sizeof(id->octets));
}

struct db_param
db_int(int64_t i)
{
	return (struct db_param){.type = 'i', .number = i};
}

struct db_param
db_int_or_null(int64_t i)
{
	return (struct db_param){.type = 'i', .null = i == 0, .number = i};
}

struct db_param
db_bool(bool o)
{
	return (struct db_param){.type = 'o', .number = o};
}

/* The cell, or nothing (p NULL) for NULL and after marking what is not as asked. */
static struct bytes
cell(struct db_rows *rows, size_t i, size_t col, bool null_is_fine)
{
	struct bytes none = {NULL, 0};

	if (i >= rows->n || col >= rows->n_cols) {
		rows->bad = (int)col + 1;
		return none;
	}
	struct bytes c = rows->cells[i * rows->n_cols + col];

	if (c.p == NULL && !null_is_fine && rows->bad == 0)
		rows->bad = (int)col + 1;
	return c;
}

static bool
is_type(struct db_rows *rows, size_t col, unsigned type)
{
	if (col < rows->n_cols && rows->types[col] == type)
		return true;
	if (rows->bad == 0)
		rows->bad = (int)col + 1;
	return false;
}

struct bytes
db_get_bytes_opt(struct db_rows *rows, size_t i, size_t col)
{
	if (!is_type(rows, col, PGTYPE_BYTEA))
		return (struct bytes){NULL, 0};
	return cell(rows, i, col, true);
}

struct bytes
db_get_bytes(struct db_rows *rows, size_t i, size_t col)
{
	if (!is_type(rows, col, PGTYPE_BYTEA))
		return (struct bytes){NULL, 0};
	return cell(rows, i, col, false);
}

void
db_get_octets(struct db_rows *rows, size_t i, size_t col, unsigned char *out, size_t n)
{
	struct bytes b = db_get_bytes(rows, i, col);

	memset(out, 0, n);
	if (b.n == n)
		memcpy(out, b.p, n);
	else if (rows->bad == 0)
		rows->bad = (int)col + 1;
}

const char *
db_get_text_opt(struct db_rows *rows, size_t i, size_t col)
{
	if (!is_type(rows, col, PGTYPE_TEXT))
		return NULL;
	return (const char *)cell(rows, i, col, true).p;
}

const char *
db_get_text(struct db_rows *rows, size_t i, size_t col)
{
	if (!is_type(rows, col, PGTYPE_TEXT))
		return "";
	struct bytes c = cell(rows, i, col, false);

	return c.p == NULL ? "" : (const char *)c.p;
}

static int64_t
integer(struct db_rows *rows, size_t i, size_t col, bool null_is_fine)
{
	struct bytes c = cell(rows, i, col, null_is_fine);
	uint64_t u64;
	uint16_t u16;

	if (c.p == NULL)
		return 0;
	if (rows->types[col] == PGTYPE_INT8 && c.n == sizeof(u64)) {
		memcpy(&u64, c.p, sizeof(u64));
		return (int64_t)be64toh(u64);
	}
	if (rows->types[col] == PGTYPE_INT2 && c.n == sizeof(u16)) {
		memcpy(&u16, c.p, sizeof(u16));
		return (int16_t)be16toh(u16);
	}
	if (rows->bad == 0)
		rows->bad = (int)col + 1;
	return 0;
}

int64_t
db_get_int(struct db_rows *rows, size_t i, size_t col)
{
	return integer(rows, i, col, false);
}

int64_t
db_get_int_opt(struct db_rows *rows, size_t i, size_t col)
{
	return integer(rows, i, col, true);
}

bool
db_get_bool(struct db_rows *rows, size_t i, size_t col)
{
	if (!is_type(rows, col, PGTYPE_BOOL))
		return false;
	struct bytes c = cell(rows, i, col, false);

	return c.n == 1 && c.p[0] != 0;
}

struct subject_id
db_get_id(struct db_rows *rows, size_t i, size_t col)
{
	struct subject_id id;

	db_get_octets(rows, i, col, id.octets, sizeof(id.octets));
	return id;
}

const struct subject_id *
db_get_id_opt(struct db_rows *rows, size_t i, size_t col)
{
	if (!is_type(rows, col, PGTYPE_BYTEA) || cell(rows, i, col, true).p == NULL)
		return NULL;
	struct subject_id *id = ARENA_NEW(rows->a, struct subject_id);

	*id = db_get_id(rows, i, col);
	return id;
}

bool
db_rows_check(const struct db_rows *rows, struct err *err)
{
	if (rows->bad != 0)
		return FAIL(err, ERR_INTERNAL, NULL, "%s: column %d is not what was expected",
			    rows->statement, rows->bad);
	return true;
}
