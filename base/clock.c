/* Time; see clock.h. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

time_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t
clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct timespec
clock_mono_timespec(int64_t mono_us)
{
	return (struct timespec){.tv_sec = mono_us / 1000000,
				 .tv_nsec = (long)(mono_us % 1000000) * 1000};
}

char *
clock_text(struct arena *a, time_t t)
{
	struct tm tm;

	gmtime_r(&t, &tm);
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
			    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* n digits at *s, which moves past them. */
static bool
take_number(const char **s, int n, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return true;
}

static bool
take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool
is_real_date(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y = tm->tm_year + 1900, m = tm->tm_mon;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	if (m < 0 || m > 11 || tm->tm_mday < 1)
		return false;
	return tm->tm_mday <= days[m] + (m == 1 && leap ? 1 : 0) && tm->tm_hour < 24 &&
	       tm->tm_min < 60 && tm->tm_sec < 60;
}

static bool
take_fraction(const char **s)
{
	if (!take_char(s, '.'))
		return true;
	size_t digits = strspn(*s, "0123456789");

	*s += digits;
	return digits > 0 && digits <= 12;
}

bool
clock_parse(const char *s, time_t *out, struct err *err)
{
	struct tm tm = {0};
	bool shaped = take_number(&s, 4, &tm.tm_year) && take_char(&s, '-') &&
		      take_number(&s, 2, &tm.tm_mon) && take_char(&s, '-') &&
		      take_number(&s, 2, &tm.tm_mday) && take_char(&s, 'T') &&
		      take_number(&s, 2, &tm.tm_hour) && take_char(&s, ':') &&
		      take_number(&s, 2, &tm.tm_min) && take_char(&s, ':') &&
		      take_number(&s, 2, &tm.tm_sec) && take_fraction(&s) && take_char(&s, 'Z') &&
		      *s == '\0';

	if (!shaped)
		return FAIL(err, ERR_INPUT, NULL, "not a dateTime in UTC (SAML2Core 1.3.3)");
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (!is_real_date(&tm))
		return FAIL(err, ERR_INPUT, NULL, "a date or time that does not exist");
	*out = timegm(&tm);
	return true;
}
