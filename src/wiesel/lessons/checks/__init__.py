"""One checker per exercise, of the exercise's name: `check(own)` yields what is to be said about each part."""
