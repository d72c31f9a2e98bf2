"""first"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_first"), ["first"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_study"), ["study"], unique=False)

    op.create_table(
        "pair",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("text_a", sa.String(), nullable=False),
        sa.Column("text_b", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pair")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "round",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("page", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_round")),
    )
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_study"), ["study"], unique=False)

    op.create_table(
        "rubric",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rubric")),
    )
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("name", name=op.f("uq_study_name")),
    )
    op.create_table(
        "arm",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_arm_study_id")),
        sa.PrimaryKeyConstraint("study_id", "name", name=op.f("pk_arm")),
    )
    op.create_table(
        "ask",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("rubric", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("call", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["call"], ["call.digest"], name=op.f("fk_ask_call")),
        sa.ForeignKeyConstraint(["pair"], ["pair.digest"], name=op.f("fk_ask_pair")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ask")),
    )
    with op.batch_alter_table("ask", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ask_call"), ["call"], unique=False)
        batch_op.create_index(batch_op.f("ix_ask_pair"), ["pair"], unique=False)
        batch_op.create_index("ix_ask_said", ["judge", "rubric"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("error_class", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.digest"], name=op.f("fk_attempt_call")),
        sa.PrimaryKeyConstraint("call", "n", name=op.f("pk_attempt")),
    )
    op.create_table(
        "example",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_example_study_id")),
        sa.PrimaryKeyConstraint("study_id", "id", name=op.f("pk_example")),
    )
    op.create_table(
        "imported_label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["pair"], ["pair.digest"], name=op.f("fk_imported_label_pair")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_imported_label_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_label")),
        sa.UniqueConstraint(
            "study_id",
            "pair",
            "person",
            "criterion",
            "kind",
            "revision",
            name=op.f("uq_imported_label_study_id_pair_person_criterion_kind_revision"),
        ),
    )
    with op.batch_alter_table("imported_label", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_imported_label_pair"), ["pair"], unique=False)
        batch_op.create_index(batch_op.f("ix_imported_label_study_id"), ["study_id"], unique=False)

    op.create_table(
        "judge",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_judge_study_id")),
        sa.PrimaryKeyConstraint("study_id", "name", name=op.f("pk_judge")),
    )
    with op.batch_alter_table("judge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_judge_digest"), ["digest"], unique=False)

    op.create_table(
        "member",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_member_person")),
        sa.PrimaryKeyConstraint("person", "study", "role", name=op.f("pk_member")),
    )
    op.create_table(
        "generation",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("arm_digest", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_generation_study_id")),
        sa.PrimaryKeyConstraint("study_id", "arm_digest", name=op.f("pk_generation")),
    )
    op.create_table(
        "output",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("arm_digest", sa.String(), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_output_study_id")),
        sa.PrimaryKeyConstraint("study_id", "arm_digest", "example", "sample", name=op.f("pk_output")),
    )
    op.create_table(
        "quota",
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["round"], ["round.token"], name=op.f("fk_quota_round")),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_quota")),
    )
    with op.batch_alter_table("quota", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quota_round"), ["round"], unique=False)

    op.create_table(
        "round_key",
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("rubric", sa.String(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_round_key_study_id")),
        sa.PrimaryKeyConstraint("round", name=op.f("pk_round_key")),
    )
    with op.batch_alter_table("round_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_key_study_id"), ["study_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_run_study_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_study_id"), ["study_id"], unique=False)

    op.create_table(
        "sampled",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stratum", sa.String(), nullable=False),
        sa.Column("half", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pair"], ["pair.digest"], name=op.f("fk_sampled_pair")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_sampled_study_id")),
        sa.PrimaryKeyConstraint("study_id", "pair", name=op.f("pk_sampled")),
    )
    op.create_table(
        "score",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("example", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_score_study_id")),
        sa.PrimaryKeyConstraint(
            "study_id", "origin", "about", "example", "arm", "source", "criterion", "sample", name=op.f("pk_score")
        ),
    )
    op.create_table(
        "seat",
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["round"], ["round.token"], name=op.f("fk_seat_round")),
        sa.PrimaryKeyConstraint("round", "n", name=op.f("pk_seat")),
    )
    with op.batch_alter_table("seat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seat_person"), ["person"], unique=False)

    op.create_table(
        "study_pair",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("candidate", sa.String(), nullable=False),
        sa.Column("example", sa.JSON(), nullable=False),
        sa.Column("model_a", sa.String(), nullable=True),
        sa.Column("model_b", sa.String(), nullable=True),
        sa.Column("meta", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["pair"], ["pair.digest"], name=op.f("fk_study_pair_pair")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_pair_study_id")),
        sa.PrimaryKeyConstraint("study_id", "id", name=op.f("pk_study_pair")),
    )
    with op.batch_alter_table("study_pair", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_pair_pair"), ["pair"], unique=False)

    op.create_table(
        "task",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("prompt", sa.JSON(), nullable=False),
        sa.Column("left", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lease", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["round"], ["round.token"], name=op.f("fk_task_round")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_deck", ["round", "seat", "state", "position"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_item"), ["item"], unique=False)

    op.create_table(
        "task_key",
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("round", sa.String(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("left", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pair"], ["pair.digest"], name=op.f("fk_task_key_pair")),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_task_key")),
    )
    with op.batch_alter_table("task_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_key_pair"), ["pair"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_key_round"), ["round"], unique=False)

    op.create_table(
        "token",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_token_person")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_token")),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_token_study"), ["study"], unique=False)

    op.create_table(
        "verdict",
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("rubric", sa.String(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("a_pass", sa.Boolean(), nullable=True),
        sa.Column("b_pass", sa.Boolean(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pair"], ["pair.digest"], name=op.f("fk_verdict_pair")),
        sa.PrimaryKeyConstraint("pair", "judge", "rubric", "criterion", name=op.f("pk_verdict")),
    )
    op.create_table(
        "draft",
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task"], ["task.token"], name=op.f("fk_draft_task")),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_draft")),
    )
    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task"], ["task.token"], name=op.f("fk_label_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("client_id", name=op.f("uq_label_client_id")),
        sa.UniqueConstraint("task", "revision", name=op.f("uq_label_task_revision")),
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_person"), ["person"], unique=False)

    op.create_table(
        "reading",
        sa.Column("ask", sa.BigInteger(), nullable=False),
        sa.Column("parser", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["ask"], ["ask.id"], name=op.f("fk_reading_ask")),
        sa.PrimaryKeyConstraint("ask", name=op.f("pk_reading")),
    )
