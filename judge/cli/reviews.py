"""Review: sample, invite, status, extend, close, blindcheck."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from judge.cli.arguments import DEFAULT_STUDY, DbOption, JsonOption, StudyArgument, open_study
from judge.cli.console import emit, note, say

app = typer.Typer(help="Let people judge a sample of the pairs blind.", no_args_is_help=True, rich_markup_mode=None)

LEAKED: Final = 1

AddressOption = Annotated[str, typer.Option("--url", help="Where people reach the server; `judge serve` says it.")]


@app.command()
def sample(
    study: StudyArgument = DEFAULT_STUDY,
    n: Annotated[int | None, typer.Option("--n", min=1, help="Pairs to draw.  [default: review.sample]")] = None,
    labels: Annotated[
        int | None, typer.Option("--labels", min=1, max=3, help="Labels a pair.  [default: review.labels_per_item]")
    ] = None,
    policy: Annotated[
        str, typer.Option("--betraying", help="Texts that name their model: report, exclude or mask them.")
    ] = "report",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw pairs, seal them into decks, and open a round.

    Example: judge review sample study.yaml --n 60
    """
    from judge.cli.arguments import one_of
    from judge.workflow import reviewing

    chosen: Any = one_of("betraying", policy, reviewing.POLICIES)
    with open_study(study, db).work() as work:
        made = reviewing.sample(work, n=n, labels=labels, policy=chosen)
    for notice in made.notices:
        note(f"{notice.code}: {notice.text}")
    if as_json:
        emit({"round": made.drawn.round, "items": made.drawn.items, "tasks": made.drawn.tasks})
        return
    say(f"A round is open: {made.drawn.items} pairs, sealed into {made.drawn.tasks} tasks.")
    note(f"Next: judge serve {study}")


@app.command()
def invite(
    study: StudyArgument = DEFAULT_STUDY,
    uses: Annotated[int, typer.Option("--uses", min=1, help="How many people may use the link.")] = 1,
    days: Annotated[float, typer.Option("--days", help="For how many days.")] = 14,
    role: Annotated[str, typer.Option("--role", help="annotator, owner, adjudicator or viewer.")] = "annotator",
    url: AddressOption = "http://127.0.0.1:8000",
    withdraw: Annotated[str | None, typer.Option("--withdraw", help="Make none; withdraw this link.")] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a link by which people come in, or withdraw one.

    Example: judge review invite study.yaml --uses 3
    """
    from judge.workflow import reviewing
    from judge.workflow.links import join_link

    with open_study(study, db).work() as work:
        if withdraw is not None:
            reviewing.withdraw(work, withdraw)
            if as_json:
                emit({"withdrawn": True})
            else:
                say("The link is withdrawn. Who came in by it stays.")
            return
        secret, expires = reviewing.invite(work, role=role, uses=uses, days=days)
    link = join_link(url.rstrip("/"), secret)
    if as_json:
        emit({"link": link, "expires": expires})
        return
    say(link)
    note(f"For {uses} {'person' if uses == 1 else 'people'}, until {expires}.")


@app.command()
def status(study: StudyArgument = DEFAULT_STUDY, db: DbOption = None, as_json: JsonOption = False) -> None:
    """Count the labels of the newest round by annotator.

    Example: judge review status study.yaml
    """
    from judge.workflow import reviewing

    with open_study(study, db).work() as work:
        found = reviewing.status(work)
    if as_json:
        emit(found)
        return
    say(f"Round {found['state']}: {found['labels']} of {found['planned']} labels")
    for annotator in found["annotators"]:
        say(f"  {annotator['id']:<30} {annotator['labels']}")


@app.command()
def extend(
    study: StudyArgument = DEFAULT_STUDY,
    n: Annotated[int, typer.Option("--n", min=0, help="Pairs to add.")] = 0,
    seats: Annotated[int, typer.Option("--seats", min=0, help="Seats to add.")] = 0,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add pairs or seats to the open round.

    Example: judge review extend study.yaml --n 20
    """
    from judge.workflow import reviewing

    with open_study(study, db).work() as work:
        drawn = reviewing.extend(work, n=n, seats=seats)
    if as_json:
        emit({"round": drawn.round, "items": drawn.items, "tasks": drawn.tasks})
    else:
        say(f"The round holds {drawn.items} pairs.")


@app.command()
def close(
    study: StudyArgument = DEFAULT_STUDY,
    incomplete: Annotated[bool, typer.Option("--incomplete", help="Close although planned labels are missing.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close the open round; its labels count from now on.

    Example: judge review close study.yaml
    """
    from judge.workflow import reviewing

    with open_study(study, db).work() as work:
        labels, missing = reviewing.close(work, incomplete=incomplete)
    if as_json:
        emit({"labels": labels, "missing": missing})
    else:
        say(f"The round is closed: {labels} labels, {missing} missing.")


@app.command()
def blindcheck(study: StudyArgument = DEFAULT_STUDY, as_json: JsonOption = False) -> int:
    """Prove on throw-away copies of the study that nothing tells annotators which model wrote what; 1 when something does.

    Example: judge review blindcheck study.yaml
    """
    from review_ui.blindcheck import check

    checked = check(open_study(study, None))
    if as_json:
        emit(checked.to_json())
    else:
        for line in checked.lines():
            say(line)
        note(f"{checked.pairs} pairs of {checked.study}, {checked.seconds:.0f} s; your own workspace was not touched.")
    return 0 if checked.ok else LEAKED
