/*
 * Reads samples.json: the members that all pages share ("site"), then per
 * sample its page, its own members, and for pages with a form its name and what
 * was sent.  The forms are tables here, as in the program.
 */
#include "tests/idp/samples.h"

#include <string.h>

#include "base/conf.h"
#include "idp/form.h"
#include "idp/qr.h"

#define SAMPLES_BYTES_MAX 65536

static const struct form_field login_fields[] = {
	{"login_name", NULL, "username", FORM_TEXT, FORM_PLAIN, 254, 0},
	{"password", NULL, "current-password", FORM_PASSWORD, 0, 1024, 0},
};

static const struct form_field code_fields[] = {
	{"code", NULL, "one-time-code", FORM_CODE, FORM_HINT, 16, 0},
};

static const struct form_field device_fields[] = {
	{"user_code", NULL, NULL, FORM_TEXT, FORM_HINT | FORM_PLAIN, 32, 0},
};

static const struct form_field register_fields[] = {
	{"given_names", "person", "given-name", FORM_TEXT, FORM_HINT, 200, 0},
	{"family_name", "person", "family-name", FORM_TEXT, FORM_HINT, 200, 0},
	{"birth_name", "person", NULL, FORM_TEXT, FORM_HINT | FORM_OPTIONAL, 200, 0},
	{"birth_date", "person", NULL, FORM_DATE, FORM_HINT, 10, 0},
	{"birth_place", "person", NULL, FORM_TEXT, 0, 200, 0},
	{"street_address", "address", "address-line1", FORM_TEXT, 0, 200, 0},
	{"postal_code", "address", "postal-code", FORM_TEXT, 0, 10, 0},
	{"locality", "address", "address-level2", FORM_TEXT, 0, 200, 0},
	{"login_name", "access", "username", FORM_TEXT, FORM_HINT | FORM_PLAIN, 254, 0},
	{"email", "access", "email", FORM_EMAIL, FORM_HINT | FORM_OPTIONAL, 254, 0},
	{"new_password", "access", "new-password", FORM_PASSWORD, FORM_HINT, 1024, 12},
	{"password_repeat", "access", "new-password", FORM_PASSWORD, 0, 1024, 0},
	{"store_consent", "access", NULL, FORM_CHECK, FORM_HINT, 1, 0},
};

static const struct {
	const char *name;
	const struct form_field *fields;
	size_t n;
} forms[] = {
	{"login", login_fields, ARRAY_LEN(login_fields)},
	{"code", code_fields, ARRAY_LEN(code_fields)},
	{"register", register_fields, ARRAY_LEN(register_fields)},
	{"device", device_fields, ARRAY_LEN(device_fields)},
};

/* Without "sent" the form is empty; with it, it was read and "wrong" adds problems. */
static void
add_form(struct arena *a, json_t *sample, json_t *vars)
{
	const char *name = json_string_value(json_object_get(sample, "form")), *key;
	json_t *sent = json_object_get(sample, "sent"), *v;
	struct param params[32];
	size_t n = 0, k = 0;

	while (strcmp(forms[k].name, name) != 0)
		k++;
	struct form *f = form_create(a, forms[k].fields, forms[k].n);

	if (sent != NULL) {
		json_object_foreach(sent, key, v)
		{
			params[n++] = (struct param){key, json_string_value(v)};
		}
		f = form_read(a, forms[k].fields, forms[k].n, &(struct params){params, n});
	}
	json_object_foreach(json_object_get(sample, "wrong"), key, v)
	{
		form_problem(f, key, json_string_value(v));
	}
	form_vars(a, f, vars);
}

static bool
add_qr(struct arena *a, json_t *vars, struct err *err)
{
	const char *path;
	size_t size;

	if (!qr_path(a,
		     "otpauth://totp/Servicekonto%20Sachsen:erika?secret=JBSWY3DPEHPK3PXP"
		     "JBSWY3DPEHPK3PXP&issuer=Servicekonto%20Sachsen",
		     &size, &path, err))
		return false;
	json_put_i64(a, vars, "qr_size", (int64_t)size);
	json_put_str(a, vars, "qr_path", path);
	return true;
}

bool
samples_load(struct arena *a, const char *path, struct samples *out, struct err *err)
{
	struct bytes text;
	json_t *all, *sample;
	const char *name;
	size_t n = 0;

	if (!conf_read_file(a, path, SAMPLES_BYTES_MAX, &text, err) ||
	    !json_parse_object(a, text, SAMPLES_BYTES_MAX, &all, err))
		return false;
	json_t *site = json_object_get(all, "site"), *samples = json_object_get(all, "samples");

	out->p = ARENA_ARRAY(a, struct sample, json_object_size(samples));
	json_object_foreach(samples, name, sample)
	{
		json_t *vars = json_new_object(a);

		json_object_update(vars, site);
		json_object_update(vars, json_object_get(sample, "vars"));
		if (json_object_get(sample, "form") != NULL)
			add_form(a, sample, vars);
		if (json_is_true(json_object_get(sample, "qr")) && !add_qr(a, vars, err))
			return false;
		out->p[n++] = (struct sample){
			name, json_string_value(json_object_get(sample, "page")), vars};
	}
	out->n = n;
	return true;
}
