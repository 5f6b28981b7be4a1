"""The loss around a trained network: its curvature, directional pruning, and the valley between two networks."""
