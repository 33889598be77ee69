"""Recipe -> run: the only room that knows Lightning."""
