"""The verbs that every edge calls, one module each; an edge imports the one that it needs, when it needs it.

A study's files are read and joined (`sources`), brought into the workspace (`workspace`), judged (`compare`), measured
(`measure`), and reported (`reporting`); `running` walks the whole line.  `facade.Study` and `agreeing.agree` are the
Python API.
"""
