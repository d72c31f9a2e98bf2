"""The annotator's side: sealed tasks, left and right, never a and b.

`open_desk` puts a pair and the next one before a person; `vote` keeps a vote exactly once and brings what follows;
`take_back` undoes by revision; `save_draft` keeps what is chosen so far.  All take a transaction.
"""

from judge.desk.answers import LONGEST_COMMENT
from judge.desk.queue import open_desk, save_draft, take_back, vote
from judge.desk.types import SAID, Answers, Desk, Page, Progress, Question, Said, Task, Vote, Voted

__all__ = [
    "LONGEST_COMMENT",
    "SAID",
    "Answers",
    "Desk",
    "Page",
    "Progress",
    "Question",
    "Said",
    "Task",
    "Vote",
    "Voted",
    "open_desk",
    "save_draft",
    "take_back",
    "vote",
]
