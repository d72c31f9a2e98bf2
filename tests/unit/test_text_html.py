"""Markdown, code and formulas of answers, as people will read them."""

from __future__ import annotations

import pytest

from judge.text import code_css, to_html


def test_markdown_is_rendered() -> None:
    html = to_html("**bold** and *fine*\n\n1. one\n2. two\n\n> quoted\n\n~~gone~~")
    for part in ("<strong>bold</strong>", "<em>fine</em>", "<ol>", "<blockquote>", "<s>gone</s>"):
        assert part in html


def test_headings_stay_below_those_of_the_page() -> None:
    html = to_html("# one\n\n## two\n\n###### six")
    assert "<h4>one</h4>" in html
    assert "<h5>two</h5>" in html
    assert "<h6>six</h6>" in html


def test_a_line_break_is_kept() -> None:
    assert "Best regards<br>" in to_html("Best regards\nAnna")


def test_a_table_keeps_its_alignment() -> None:
    html = to_html("|item|price|\n|:--|--:|\n|tea|2|")
    assert '<td align="right">2</td>' in html


def test_code_is_coloured_by_classes() -> None:
    html = to_html("```python\ndef f(): return 1\n```")
    assert '<span class="hl-k">def</span>' in html
    assert "style=" not in html


@pytest.mark.parametrize("language", ["", "no-such-language", "brainfuck", "python" * 50])
def test_code_in_an_unknown_language_is_shown_plain(language: str) -> None:
    assert "x &lt; y" in to_html(f"```{language}\nx < y\n```")


def test_a_json_answer_is_shown_as_it_stands() -> None:
    html = to_html('{\n    "b": 1,\n    "a": [true]\n}')
    assert html.startswith("<pre")
    assert '\n<span class="hl-w">    </span>' in html


@pytest.mark.parametrize("formula", [r"$x^2$", r"$$x^2$$", r"\(x^2\)", r"\[x^2\]", "$$\nx^2\n$$", "\\[\nx^2\n\\]"])
def test_formulas_become_mathml_in_every_notation(formula: str) -> None:
    html = to_html(f"Then {formula}" if "\n" not in formula else f"Then\n{formula}\nholds.")
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html
    assert "$" not in html


def test_an_aligned_system_keeps_its_rows() -> None:
    html = to_html("$$\n\\begin{aligned}\na &= b \\\\\n+ c &= d\n\\end{aligned}\n$$")
    assert html.count("<mtr>") == 2


def test_a_comparison_in_a_formula_is_an_operator() -> None:
    assert "<mo>&lt;</mo>" in to_html(r"$a < b$")


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6.",
        "Between $5-$6 per seat.",
        "The range $5/$6 is fine.",
        "From $20 (or $25) to US$30.",
        "Set $HOME/$PATH and $USER.",
        "Sold for $5 and bought for 6$ later.",
        "A single $ sign, and \\$ too.",
        "$ spaced $ signs",
        "**$20**–**$25**",
    ],
)
def test_money_and_variables_are_no_formulas(text: str) -> None:
    html = to_html(text)
    assert "<math" not in html
    assert html.count("$") == text.count("$")


@pytest.mark.parametrize(
    "source", [r"$\begin{matrix}$", r"$\left( x$", "$" + "x" * 1_990 + r"\frac{$", r"$\newcommand{\a}{b}\a$", r"$x_1_2$"]
)
def test_a_formula_that_cannot_be_drawn_is_shown_as_its_source(source: str) -> None:
    assert f"<code>{source}</code>" in to_html(source)


def test_too_many_formulas_are_shown_as_source_from_some_point_on() -> None:
    html = to_html(" ".join(f"$x_{{{number}}}$" for number in range(3_000)))
    assert "<math" in html
    assert "<code>$x_{2999}$</code>" in html


@pytest.mark.parametrize("text", ["", "  \n\t ", "\n"])
def test_a_text_without_visible_characters_gives_nothing(text: str) -> None:
    assert to_html(text) == ""


def test_a_very_long_text_is_cut_with_a_note() -> None:
    html = to_html("word " * 50_000)
    assert "Cut here: the first 200,000 of 250,000 characters are shown." in html
    assert len(html) < 201_000


def test_a_line_that_looks_like_a_link_definition_does_not_vanish() -> None:
    assert "hidden note" in to_html('[comment]: <> "hidden note"')


def test_the_same_text_gives_the_same_html() -> None:
    text = "# a\n\n$x$ `b` ```c```\n\n```python\nx = 1\n```"
    assert to_html(text) == to_html(text)


def test_the_style_sheet_has_a_light_and_a_dark_colour_for_code() -> None:
    css = code_css()
    assert ".hl-k" in css
    assert "light-dark(#" in css
    assert "url(" not in css
    assert "<" not in css
