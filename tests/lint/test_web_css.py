"""tools/web_css.py keeps what pages use of a style sheet, and nothing else."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import tap  # noqa: E402
import web_css  # noqa: E402


def expect(css, want, classes=("a", "b"), elements=("p", "input")):
    rules = web_css.purge(web_css.parse(css), set(classes), set(elements))
    got = web_css.write(web_css.drop_unused_variables(rules))
    assert got == want, got


def rules_for_absent_classes_go():
    expect(".a { x: 1 } .c { x: 2 } .a .c { x: 3 } .a.b { x: 4 }", ".a{x:1}.a.b{x:4}")
    expect(".a, .c, .b { x: 1 }", ".a,.b{x:1}")
    expect(".a--more { x: 1 } .a-b { x: 1 }", "")


def rules_for_absent_elements_go():
    expect("p { x: 1 } table { x: 2 } .a > td { x: 3 } .a p { x: 4 }", "p{x:1}.a p{x:4}")
    expect("input[type=file], select { x: 1 }", "input[type=file]{x:1}")
    expect("*, :root, p::before { x: 1 }", "*,:root,p::before{x:1}")


def what_need_not_match_need_not_be_there():
    expect(".a:not(.c):focus { x: 1 }", ".a:not(.c):focus{x:1}")
    expect(":is(body, .c):not([class*=c-]) { x: 1 }", ":is(body,.c):not([class*=c-]){x:1}")
    expect(".a:has(.c) { x: 1 } .a:has(.b) { x: 2 }", ".a:has(.b){x:2}")


def chosen_themes_go_as_pages_choose_none():
    expect("[data-kern-theme=dark] { x: 1 } p { x: 2 }", "p{x:2}")


def media_are_reduced_inside():
    expect("@media (min-width: 2px) { .a { x: 1 } .c { x: 2 } } @media print { .c { x: 3 } }",
           "@media (min-width: 2px){.a{x:1}}")


def unused_variables_go_with_those_only_they_use():
    expect(":root { --u: var(--v); --v: 1; --w: var(--y); --y: 2 } .a { x: var(--u) }",
           ":root{--u:var(--v);--v:1}.a{x:var(--u)}")


def a_fallback_goes_where_there_is_a_value():
    expect(":root { --u: 1 } .a { x: var(--u, 8px); y: var(--z, 9px) }",
           ":root{--u:1}.a{x:var(--u);y:var(--z, 9px)}")


def strings_comments_and_animations_are_understood():
    expect('/* .a{ */ .a { content: "}"; x: url("data:a;b,{c}") }',
           '.a{content:"}";x:url("data:a;b,{c}")}')
    expect("@charset 'x'; @keyframes k { from { x: 1 } to { x: 2 } } .a { x: 3 }", ".a{x:3}")
    expect("@font-face { src: url(f); x: 1 }", "@font-face{src:url(f);x:1}")


tap.run([rules_for_absent_classes_go, rules_for_absent_elements_go,
         what_need_not_match_need_not_be_there, chosen_themes_go_as_pages_choose_none,
         media_are_reduced_inside, unused_variables_go_with_those_only_they_use,
         a_fallback_goes_where_there_is_a_value, strings_comments_and_animations_are_understood])
