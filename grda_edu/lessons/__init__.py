"""A folder for each lesson: its questions, its numbers, its figures."""
