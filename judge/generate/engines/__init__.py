"""Scripts that run a model in the interpreter of its own environment; each speaks the language of `judge.generate.child`.

They are started by path, never imported, and know nothing of this package.
"""
