"""tools/lint_i18n.py finds what texts, templates and code disagree on."""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import lint_i18n  # noqa: E402
import tap  # noqa: E402

DE = {"a.title": "Titel", "a.two": "Zwei {x}", "kind.one": "eins", "row.text": "Zeile"}
EN = {"a.title": "Title", "a.two": "Two {x}", "kind.one": "one", "row.text": "Row"}
HTML = "{{t:a.title}} {{ t:a.two }} {{t:kind.*name}}"
C = 'const char *x = page_text(p, lang, "a.title"); struct row r = {1, "row.text"};'


def po(texts):
    return 'msgid ""\nmsgstr ""\n"Language: x\\n"\n' + "".join(
        f'\nmsgid "{k}"\nmsgstr "{v}"\n' for k, v in texts.items())


def expect(*faults, de=DE, en=EN, html=HTML, c=C):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"web/i18n/de.po": de if isinstance(de, str) else po(de),
                           "web/i18n/en.po": po(en), "web/templates/a.html": html,
                           "idp/a.c": c}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        got = lint_i18n.lint(folder)
        assert got == list(faults), got


def texts_that_agree_pass():
    expect()


def a_key_that_a_language_lacks_is_found():
    expect("web/i18n/en.po: no a.new", "a.new: the languages show different {names}",
           de={**DE, "a.new": "{y}"}, html=HTML + "{{t:a.new}}")


def an_empty_text_is_found():
    expect("web/i18n/de.po: a.title has no text", de={**DE, "a.title": ""})


def a_repeated_key_is_found():
    expect("web/i18n/de.po: a.title is there twice",
           de=po(DE) + '\nmsgid "a.title"\nmsgstr "Noch einmal"\n')


def a_text_in_pieces_is_one_text():
    expect(de=po(DE).replace('"Zwei {x}"', '""\n"Zwei "\n"{x}"'))


def different_names_are_found():
    expect("a.two: the languages show different {names}", en={**EN, "a.two": "Two {y}"})


def an_unknown_key_in_a_template_is_found():
    expect("web/templates/a.html: no text a.three", html=HTML + "{{t:a.three}}")


def an_unknown_family_is_found():
    expect("no text begins with sort.", html=HTML + "{{t:sort.*name}}")


def an_unknown_key_in_code_is_found():
    expect("idp/a.c: no text a.three", c=C + 'page_text(x->p, LANG_DE, "a.three")')


def words_that_code_puts_into_a_member_are_looked_up():
    expect(c=C + 'json_put_str(a, o, "name2", "two");')
    html = HTML.replace("*name", "*kind")
    expect(c=C + 'json_put_str(a, o, "kind", "one");', html=html)
    expect(c=C + 'json_put_str(a, o, "kind", find(rq, "kind"));', html=html)
    expect("idp/a.c: no text kind.two",
           c=C + 'json_put_str(a, o, "kind", x ? "one" : "two");', html=html)


def problems_that_code_notes_are_looked_up():
    expect("idp/a.c: no text problem.odd", c=C + 'form_problem(f, "name", "odd");')
    expect("idp/a.c: no text problem.a", "idp/a.c: no text problem.b",
           c=C + 'form_problem(f, at->name,\n x ? "a" : "b");')


def fields_of_forms_are_looked_up():
    table = 'static const struct form_field rows[] = {\n\t{"n", "g", NULL, FORM_CHECK, FORM_HINT, 1, 0},\n};'
    expect(*(f"idp/a.c: no text {k}.{n}" for k, n in
             [("check", "n"), ("field", "n"), ("group", "g"), ("hint", "n")]), c=C + table)


def a_key_that_nobody_uses_is_found():
    expect("a.two is not used", html="{{t:a.title}} {{t:kind.*name}}")
    expect("row.text is not used", c="")


tap.run([texts_that_agree_pass, a_key_that_a_language_lacks_is_found, an_empty_text_is_found,
         a_repeated_key_is_found, a_text_in_pieces_is_one_text, different_names_are_found,
         an_unknown_key_in_a_template_is_found, an_unknown_family_is_found,
         an_unknown_key_in_code_is_found, words_that_code_puts_into_a_member_are_looked_up,
         problems_that_code_notes_are_looked_up, fields_of_forms_are_looked_up,
         a_key_that_nobody_uses_is_found])
