/* Finding names; see search.h. */
#include "idp/search.h"

#include <string.h>

#define WORDS_MOST 8
#define TEXT_MOST  1024 /* octets of all texts that are looked at */

/* Two ways to write umlauts without their marks. */
enum way { PLAIN, GERMAN, WAYS };

struct search {
	const char *words[WAYS][WORDS_MOST];
	size_t n;
};

/* U+00C0 to U+017F: the letters without marks; "?" stays as it is. */
static const char letters[] = "aaaaaaaceeeeiiiidnooooo?ouuuuyts"
			      "aaaaaaaceeeeiiiidnooooo?ouuuuyty"
			      "aaaaaaccccccccddddeeeeeeeeeegggg"
			      "gggghhhhiiiiiiiiiiiijjkkklllllll"
			      "lllnnnnnnnnnoooooooorrrrrrssssss"
			      "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* One octet that is not there any more is no word of its own: what is too long is cut. */
static size_t
put(char *out, size_t n, size_t most, char c)
{
	if (n + 1 < most)
		out[n++] = c;
	return n;
}

/* A letter of two octets: c1 is the second. */
static size_t
put_letter(char *out, size_t n, size_t most, unsigned char c0, unsigned char c1, enum way way)
{
	unsigned point = ((c0 & 0x1fu) << 6) | (c1 & 0x3fu);
	char c = point >= 0xc0 && point < 0xc0 + sizeof(letters) - 1 ? letters[point - 0xc0] : '?';
	bool umlaut = point == 0xc4 || point == 0xd6 || point == 0xdc || point == 0xe4 ||
		      point == 0xf6 || point == 0xfc;

	if (c == '?') {
		n = put(out, n, most, (char)c0);
		return put(out, n, most, (char)c1);
	}
	n = put(out, n, most, c);
	if (point == 0xdf)
		return put(out, n, most, 's');
	return way == GERMAN && umlaut ? put(out, n, most, 'e') : n;
}

/* Appended at n; the new length. */
static size_t
fold(const char *text, enum way way, char *out, size_t n, size_t most)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p != '\0') {
		if (*p >= 'A' && *p <= 'Z')
			n = put(out, n, most, (char)(*p + ('a' - 'A')));
		else if ((*p & 0xe0) == 0xc0 && (p[1] & 0xc0) == 0x80) {
			/* Marks that stand alone, as after a letter taken apart (U+0300 ...). */
			if (*p != 0xcc && !(*p == 0xcd && p[1] < 0xb0))
				n = put_letter(out, n, most, p[0], p[1], way);
			p++;
		} else {
			n = put(out, n, most, (char)*p);
		}
		p++;
	}
	out[n] = '\0';
	return n;
}

const struct search *
search_create(struct arena *a, const char *text)
{
	struct search *s = ARENA_NEW(a, struct search);
	const char *blanks = " \t\r\n";

	for (const char *p = text; s->n < WORDS_MOST;) {
		p += strspn(p, blanks);
		size_t n = strcspn(p, blanks);

		if (n == 0)
			break;
		for (int way = PLAIN; way < WAYS; way++) {
			char *word = arena_alloc(a, 2 * n + 1);

			fold(arena_strndup(a, p, n), (enum way)way, word, 0, 2 * n + 1);
			s->words[way][s->n] = word;
		}
		s->n++;
		p += n;
	}
	return s->n == 0 ? NULL : s;
}

bool
search_finds(const struct search *s, const char *const *texts, size_t n)
{
	char folded[WAYS][TEXT_MOST];

	for (int way = PLAIN; way < WAYS; way++) {
		size_t used = 0;

		folded[way][0] = '\0';
		for (size_t i = 0; i < n; i++) {
			used = fold(texts[i], (enum way)way, folded[way], used, TEXT_MOST);
			used = put(folded[way], used, TEXT_MOST, '\n');
			folded[way][used] = '\0';
		}
	}
	for (size_t i = 0; i < s->n; i++)
		if (strstr(folded[PLAIN], s->words[PLAIN][i]) == NULL &&
		    strstr(folded[GERMAN], s->words[GERMAN][i]) == NULL)
			return false;
	return true;
}
