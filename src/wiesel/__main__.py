"""`python -m wiesel` is the command `wiesel`."""

from wiesel.cli import main

if __name__ == "__main__":
    main()
