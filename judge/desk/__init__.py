"""The annotator's side: sealed tasks, left and right, never a and b."""
