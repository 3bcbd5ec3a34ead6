/* Numbers of the PostgreSQL types we pass in binary (pg_type.dat; they never change). */
#ifndef KONTOR_DB_PGTYPE_H
#define KONTOR_DB_PGTYPE_H

enum pgtype {
	PGTYPE_BOOL = 16,
	PGTYPE_BYTEA = 17,
	PGTYPE_INT8 = 20,
	PGTYPE_INT2 = 21,
	PGTYPE_TEXT = 25,
};

#endif
