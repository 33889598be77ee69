"""Lessons and exercises: one source per lesson for both languages, and checkers that look at a learner's own file.

scripts/       the lessons, as scripts of cells (`# %%`), German and English texts side by side, code shared
exercises/     what a learner fills in, in the same format
checks/        one checker per exercise
cells.py       scripts of cells <-> a script or a notebook in one language
catalogue.py   what there is, by name
reader.py      what a lesson says to its reader: predictions, findings, answers, figures
experiment.py  the small trainings of the lessons
checking.py    runs a learner's file and its checker; a program of its own

The lessons and exercises are no modules of the package: nothing imports them, people run them.
"""
