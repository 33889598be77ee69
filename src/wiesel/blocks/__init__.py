"""Pieces that three or more papers share, a file each. Import them from their files."""
