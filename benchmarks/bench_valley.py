"""The loss on a plane and a trained curve, digits CNN of 13,706 parameters, one thread."""

import time

from grda_edu.data import digits
from grda_edu.geometry.valley import measure_plane, plane_through, train_curve, weights_of
from grda_edu.models import digits_cnn
from grda_edu.training.device import one_thread

SIZE, EPOCHS = 21, 30


def main() -> None:
    """Processor time: it does not count what other programs take."""
    data, models = digits(), [digits_cnn(seed) for seed in range(3)]
    points = [weights_of(model) for model in models]
    plane = plane_through(*points)
    a, b = plane.grid(SIZE)
    with one_thread():
        began = time.process_time()
        measure_plane(models[0], plane, a, b, data)
        grid = time.process_time() - began
        began = time.process_time()
        train_curve(models[0], data, points[0], points[1], epochs=EPOCHS)
        curve = time.process_time() - began
    images = len(data.y_train)
    print(f"loss planes, digits CNN, {images} training images, one thread, processor time")
    print(f"  grid of {SIZE} x {SIZE}         {grid:5.1f} s   reach: under 20 s")
    print(f"  Bézier curve, {EPOCHS} epochs {curve:5.1f} s")


if __name__ == "__main__":
    main()
