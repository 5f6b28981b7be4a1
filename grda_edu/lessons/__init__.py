"""One module a lesson: its computations, figures, predictions and exercises."""
