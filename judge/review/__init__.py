"""The owner's side of the review: sample, seal, invite, close, open the envelopes."""

from judge.review.envelopes import to_labels
from judge.review.rounds import Drawn, Subject, close, extend, open_one, open_round, page_of
from judge.review.sampling import Sampled, sampling_order
from judge.review.sealing import Dealt, deal, task_token

__all__ = [
    "Dealt",
    "Drawn",
    "Sampled",
    "Subject",
    "close",
    "deal",
    "extend",
    "open_one",
    "open_round",
    "page_of",
    "sampling_order",
    "task_token",
    "to_labels",
]
