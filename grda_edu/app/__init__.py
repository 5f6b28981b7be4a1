"""The command ``grda-edu``: opens the course, checks a computer, makes the recordings again."""
