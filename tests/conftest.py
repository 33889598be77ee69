"""Property tests: the same examples on every machine and every day, so that a red test is the doing of the change.

`pytest --hypothesis-profile=explore` looks at others. No example has a time limit: a busy machine is no error.
"""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("steady")
