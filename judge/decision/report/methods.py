"""Chapter: how the numbers were made, in plain words, with the n and the rules that apply to this report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from judge.decision.report.layout import Note, Section
from judge.decision.report.model import Report
from judge.decision.report.numbers import count, setting
from judge.decision.report.source import estimate_at, headline_judge, judge_names, people_word, section_at
from judge.domain import Estimate

METHOD_TEXT: Final = {
    "logit": "The interval of a rate is taken on the logit scale from the variation between clusters, by the normal "
    "distribution, and by Student's t with fewer than 20 clusters.",
    "exact": "With fewer than ten decided items, no win or no loss, the interval combines exact (Clopper-Pearson) bounds "
    "for the share of wins and for the share of losses; it is wide on purpose.",
    "normal": "The interval is the estimate plus and minus a normal quantile times its standard error.",
    "ppi++": "Prediction-powered inference (PPI++): the mean of people's scores on the labelled pairs, plus lambda times "
    "the difference between the judge's mean over the other pairs and over the labelled ones. Lambda is estimated and "
    "lies between 0 and 1, so a useless judge costs nothing.",
    "ppi++-tuned": "The rubric was changed after labels had been opened, so the judge may have been fitted to them. The "
    "headline is people's mean over all labels, with the judge as a control variate from the confirmation half only.",
    "people": "People's labels alone: there was nothing, or too little, for a judge to add.",
    "jackknife-z": "The interval of alpha leaves out one cluster at a time (jackknife), on Fisher's z scale, by Student's t.",
    "bca": "The interval comes from a seeded bootstrap over clusters, bias-corrected and accelerated (BCa).",
}  # fmt: skip


def methods_section(report: Report) -> Section:
    """Explain every estimator used, the rules for ties and missing answers, and the order of the decision."""
    return Section(
        anchor="methods",
        title="How the numbers were made",
        parts=tuple(Note(term=term, text=text) for term, text in _notes(report)),
    )


def _notes(report: Report) -> Iterator[tuple[str, str]]:
    yield "Primary", _primary(report)
    for method in sorted(_methods(report)):
        if method in METHOD_TEXT:
            yield f"Method {method}", METHOD_TEXT[method]
    if report.agreement is not None:
        yield from _agreement_notes(report)
    yield (
        "Missing",
        "An answer that was refused, cut, malformed, contradictory or absent is unscored with its reason. Two missing "
        "answers never agree. n counts what was used, missing what could not be.",
    )
    yield (
        "Decision",
        "The first rule that applies decides: a trial or missing labels leave it undecided; a guard shown beyond its stop, "
        "or a primary whose whole interval lies at or below the threshold, abandons; a primary whose whole interval lies "
        "above it ships unless a guard is shown to fail; all else is undecided. No rule looks at a point estimate.",
    )
    if report.decision.simulated:
        yield (
            "Simulated labels",
            "The labels were generated, not given by people. They show how the tool works and support no claim.",
        )


def _primary(report: Report) -> str:
    name = "the win rate" if report.is_rate else f"{report.primary_name}, as paired difference to the baseline"
    return (
        f"{name[0].upper()}{name[1:]}, with threshold {setting(report.threshold, percent=report.is_rate)}, n "
        f"{count(report.primary.n)}, missing {count(report.primary.missing)}, method {report.primary.method or 'none'}. "
        f"Intervals of the decision are at the {setting(report.level, percent=True)} level; with several candidates the "
        "error is divided among them."
    )


def _methods(report: Report) -> set[str]:
    """Every method named in the estimates that the report shows first."""
    document = report.agreement
    estimates: list[Estimate] = [report.primary, estimate_at(document, "win_rate", "people")]
    estimates += [estimate_at(document, "people", "alpha", "nominal"), estimate_at(document, "people", "raw")]
    for kind in ("judge_raw", "corrected"):
        estimates += [estimate_at(document, "win_rate", kind, name) for name in section_at(document, "win_rate", kind)]
    estimates += [estimate_at(document, "judges", name, "difference") for name in judge_names(report)]
    estimates += [row.estimate for row in report.evidence]
    return {estimate.method for estimate in estimates if estimate.method}


def _agreement_notes(report: Report) -> Iterator[tuple[str, str]]:
    people = people_word(report)
    yield (
        "Ties",
        "A tie, and \u201cboth bad\u201d, is half a win for either side. Two orders with different answers are a tie for the "
        "verdict; the score that feeds win rates is the mean over usable calls.",
    )
    if judge_names(report):
        yield (
            "Orders",
            "Each judge reads every pair in both orders. A pair of which only one order is usable has no verdict; its score "
            "still counts in win rates.",
        )
    clusters = section_at(report.agreement, "source", "cluster")
    if clusters:
        yield (
            "Clusters",
            f"Intervals are over {count(clusters.get('clusters'))} clusters ({clusters.get('by')}): pairs that share a group "
            "or a prompt are no independent evidence. Orders, repeats, criteria, jurors and labels never multiply rows.",
        )
    if people_n := estimate_at(report.agreement, "win_rate", "people").n:
        yield (
            "Sampling",
            f"{count(people_n)} pairs were labelled by {people}. In a review they are drawn at random within the judge's "
            "verdicts, sides are balanced over each person's deck, and nobody sees which arm wrote what.",
        )
    if headline_judge(report):
        yield (
            "Headline",
            f"The corrected rate of {headline_judge(report)}: with two judges or more the jury speaks, whose verdict is the "
            "value held by more than half.",
        )
