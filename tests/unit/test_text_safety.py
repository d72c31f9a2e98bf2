"""Whatever a model writes, the HTML made of it runs, loads, submits and restyles nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from judge.text import to_html

TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul", "math", "menclose", "mfrac", "mi",
    "mmultiscripts", "mn", "mo", "mover", "mpadded", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt",
    "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title", "target", "rel"}, "ol": {"start"}, "span": {"class"}, "pre": {"tabindex"}, "td": {"align"},
    "th": {"align"}, "math": {"display"}, "mi": {"mathvariant"}, "mfrac": {"linethickness"}, "mover": {"accent"},
    "mo": {"stretchy", "fence", "form", "accent", "largeop", "movablelimits", "minsize", "maxsize"},
    "munder": {"accentunder"}, "mspace": {"width"}, "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"displaystyle"}, "mtd": {"columnalign"}, "menclose": {"notation"},
}  # fmt: skip
FETCHES = {
    "img", "link", "iframe", "object", "embed", "video", "audio", "source", "track", "picture", "use", "image", "feimage",
    "script", "style", "base",
}  # fmt: skip


class Inspector(HTMLParser):
    """Reads HTML as a browser would and collects what must not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.complaints: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS or tag in FETCHES:
            self.complaints.append(f"tag {tag}")
        for name, value in attrs:
            self.attribute(tag, name, value or "")
        if tag not in {"br", "hr"}:
            self.open.append(tag)

    def attribute(self, tag: str, name: str, value: str) -> None:
        if name not in ATTRIBUTES.get(tag, set()) or name.startswith("on") or name == "style":
            self.complaints.append(f"attribute {tag}.{name}={value}")
        if name == "href" and not value.lower().startswith(("http://", "https://", "http:", "https:", "mailto:")):
            self.complaints.append(f"link to {value}")
        if name == "class" and not all(part.startswith("hl-") for part in value.split()):
            self.complaints.append(f"class {value}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.complaints.append(f"stray end of {tag}")

    def handle_comment(self, data: str) -> None:
        self.complaints.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.complaints.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.complaints.append(f"instruction {data}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def inspect(html: str) -> Inspector:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    if inspector.open:
        inspector.complaints.append(f"left open: {inspector.open}")
    return inspector


HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></ScRiPt>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
    "<svg><image href=//evil.example/x></svg>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object data=//evil.example></object><embed src=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'; * { display: none }</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=/vote method=post><button name=choice value=left>Next</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source src=//evil.example onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<p style='position:fixed;inset:0'>covers the page</p>",
    "<div id=task data-task=x hx-post=/vote hx-trigger=load>x</div>",
    "<a href=javascript:alert(1)>x</a>",
    "<!-- comment --><!DOCTYPE html><?php echo 1 ?>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "</div></article></main><h1>outside</h1>",
    "<template><img src=x onerror=alert(1)></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "<plaintext><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](/logout)",
    "[x](//evil.example/x)",
    "[x](blob:https://evil.example/1)",
    "[x](<javascript:alert(1)>)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://ok.example "onmouseover=alert(1)")',
    '[x](https://ok.example/"onmouseover="alert(1))',
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![x](javascript:alert(1))",
    "![](https://a.example)![](https://b.example)",
    "[![x](https://evil.example/x.png)](https://ok.example)",
    "![<img src=x onerror=alert(1)>](https://ok.example)",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"$$\text{</math><img/src=x/onerror=alert(1)>}$$",
    r"\(\href{javascript:alert(1)}{x}\)",
    r"$\href{https://evil.example}{x}$",
    r"$\style{position:fixed;top:0}{x}$",
    r"$\class{hl-k\" onmouseover=alert(1)}{x}$",
    r"$\mathrm{<script>alert(1)</script>}$",
    r"\[\text{<style>*{display:none}</style>}\]",
    r"$\hspace{99999em} x \kern-9999em y \rule{9999em}{9999em}$",
    r"$\color{white}{invisible} \phantom{hidden}$",
    r"$\text{&lt;img src=x onerror=alert(1)&gt;}$",
    r"$\newcommand{\a}{\a\a}\a$",
    r"$\def\a{<img src=x onerror=alert(1)>}\a$",
    "$" + "{" * 1_900 + "x" + "}" * 50 + "$",
    "$" + r"\sqrt" * 300 + " x$",
    "$\ue000img src=x onerror=alert(1)\ue001$",
    "```html\n<script>alert(1)</script>\n```",
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "```python\nprint('</code></pre><script>alert(1)</script>')",
    "~~~\nnever closed <img src=x onerror=alert(1)>",
    "`<img src=x onerror=alert(1)>`",
    "|<img src=x onerror=alert(1)>|b|\n|-|-|\n|[x](javascript:alert(1))|<svg onload=alert(1)>|",
    "> <script>\n> alert(1)\n> </script>",
    "[" * 20_000,
    "[](" * 10_000,
    "![](" * 10_000,
    "".join("  " * level + "- x\n" for level in range(300)),
    "> " * 5_000 + "x",
    "*_" * 5_000,
    "$$x\n\n" * 5_000,
    r"\(" * 20_000,
    "`" * 20_000,
    "<" * 20_000,
    "safe \u202e)1(trela:tpircsavaj\u202c end",
    "null \x00 byte <scr\x00ipt>alert(1)</scr\x00ipt>",
    "controls \x01\x08\x1b[31m\x7f\x85",
    "lone surrogate \ud800 and \udfff",
    "\ufeff<script>alert(1)</script>",
    "\u2028<img src=x onerror=alert(1)>\u2029",
    "＜script＞alert(1)＜/script＞",
    "{{ 7 * 7 }} {% import os %} ${7*7}",
    '{"a": "</code></pre><script>alert(1)</script>"}',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3C;img src=x onerror=alert(1)&#x3E;",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:40]))
def test_a_hostile_text_becomes_harmless_html(text: str) -> None:
    assert inspect(to_html(text)).complaints == []


def test_there_are_enough_hostile_texts_to_mean_something() -> None:
    assert len(set(HOSTILE)) >= 60


def test_all_hostile_texts_in_one_are_harmless_too() -> None:
    assert inspect(to_html("\n\n".join(HOSTILE))).complaints == []


def test_raw_html_is_shown_as_its_source() -> None:
    assert "<img src=x onerror=alert(1)>" in "".join(inspect(to_html("<img src=x onerror=alert(1)>")).words)


def test_a_picture_becomes_a_link_that_says_so() -> None:
    html = to_html("![a cat](https://pictures.example/cat.png)")
    assert 'href="https://pictures.example/cat.png"' in html
    assert "[image: a cat]" in html


def test_a_link_that_may_not_be_followed_stays_text() -> None:
    assert "[here](javascript:alert(1))" in "".join(inspect(to_html("[here](javascript:alert(1))")).words)


def test_links_tell_nobody_where_they_were_clicked() -> None:
    assert 'rel="noopener noreferrer nofollow"' in to_html("[docs](https://docs.example)")


def test_a_direction_override_becomes_visible() -> None:
    assert "\u202e" not in to_html("a \u202e b")
    assert "[U+202E]" in to_html("a \u202e b")


def test_a_null_byte_becomes_visible() -> None:
    assert "\u2400" in to_html("a\x00b")


def test_a_style_sheet_in_a_formula_cannot_hide_anything() -> None:
    html = to_html(r"$\phantom{secret}$ $\color{white}{pale}$")
    assert "mphantom" not in html
    assert "mathcolor" not in html


def test_nested_deeper_than_shown_means_source_and_no_lost_word() -> None:
    assert "the last word" in "".join(inspect(to_html("> " * 200 + "the last word")).words)
