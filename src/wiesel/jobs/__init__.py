"""One function per thing that a person wants done; the command line and Python call the same ones."""
