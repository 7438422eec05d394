"""Small changes of the code that a test should notice: ``make mutants``, or ``python -m scripts.mutants FOLDER…``.

    edits.py    a module's source to the edits that it allows
    draw.py     all edits of some folders to the few that are tried
    chosen.py   which test files judge a module, in which order
    trial.py    a copy of the checkout, one mutant in it, its tests: killed, hung or survived
    report.py   what became of them

An edit is not offered where it cannot matter: in docstrings, texts, annotations, ``__slots__`` and asserts.
"""
