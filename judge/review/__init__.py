"""The owner's side of the review: sample, seal, invite, close, open the envelopes."""

from judge.review.sampling import Sampled, sampling_order

__all__ = ["Sampled", "sampling_order"]
