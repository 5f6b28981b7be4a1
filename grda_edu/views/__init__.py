"""Work shown while it goes on: a training, the search for c, a curve between two networks.

``explore`` draws and ``training`` works; only here do the two meet.
"""
