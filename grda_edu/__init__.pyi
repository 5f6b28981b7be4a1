"""What editors and type checkers read in place of the lazy table in ``__init__.py``; a test compares the two."""

from grda_edu.cifar import cifar10 as cifar10
from grda_edu.cifar import download_cifar10 as download_cifar10
from grda_edu.data import digits as digits
from grda_edu.data import mnist5k as mnist5k
from grda_edu.data import split_data as split_data
from grda_edu.explore import Explorable as Explorable
from grda_edu.geometry.curvature import FixedLoss as FixedLoss
from grda_edu.geometry.curvature import flat_subspace as flat_subspace
from grda_edu.geometry.curvature import hessian as hessian
from grda_edu.geometry.curvature import share_in_subspace as share_in_subspace
from grda_edu.geometry.curvature import spectrum as spectrum
from grda_edu.geometry.curvature import top_eigenpairs as top_eigenpairs
from grda_edu.geometry.finite_time import (
    directional_pruning_in_steps as directional_pruning_in_steps,
)
from grda_edu.geometry.finite_time import finite_time_scores as finite_time_scores
from grda_edu.geometry.matching import matched_units as matched_units
from grda_edu.geometry.pruning import direction_scores as direction_scores
from grda_edu.geometry.pruning import directional_pruning as directional_pruning
from grda_edu.geometry.pruning import flat_l1 as flat_l1
from grda_edu.geometry.pruning import magnitude_pruning as magnitude_pruning
from grda_edu.geometry.pruning import obs_pruning as obs_pruning
from grda_edu.geometry.pruning import quadratic_twin as quadratic_twin
from grda_edu.geometry.valley import bezier as bezier
from grda_edu.geometry.valley import measure_along as measure_along
from grda_edu.geometry.valley import measure_plane as measure_plane
from grda_edu.geometry.valley import plane_through as plane_through
from grda_edu.geometry.valley import straight_line as straight_line
from grda_edu.geometry.valley import train_curve as train_curve
from grda_edu.geometry.valley import weights_of as weights_of
from grda_edu.models import digits_cnn as digits_cnn
from grda_edu.models import mnist_cnn as mnist_cnn
from grda_edu.models import resnet20 as resnet20
from grda_edu.models import small_digits_cnn as small_digits_cnn
from grda_edu.optim import GRDA as GRDA
from grda_edu.optim import AccumulatorAverage as AccumulatorAverage
from grda_edu.optim import DualAveraging as DualAveraging
from grda_edu.optim import penalty_groups as penalty_groups
from grda_edu.shrinkage import PowerTuning as PowerTuning
from grda_edu.shrinkage import hard_threshold as hard_threshold
from grda_edu.shrinkage import soft_threshold as soft_threshold
from grda_edu.shrinkage import tuning_function as tuning_function
from grda_edu.shrinkage import tuning_increment as tuning_increment
from grda_edu.sparse.account import report as report
from grda_edu.sparse.compaction import compact as compact
from grda_edu.sparse.masks import keep_zeros as keep_zeros
from grda_edu.sparse.storage import load_sparse as load_sparse
from grda_edu.sparse.storage import save_sparse as save_sparse
from grda_edu.training.checkpoint import Checkpoint as Checkpoint
from grda_edu.training.grids import sweep as sweep
from grda_edu.training.interrupt import interrupted as interrupted
from grda_edu.training.kept import train_kept as train_kept
from grda_edu.training.loop import train as train
from grda_edu.training.rules import stopping_epoch as stopping_epoch
from grda_edu.training.run import Run as Run
from grda_edu.training.search import find_c as find_c
from grda_edu.zeros import masks as masks
from grda_edu.zeros import sparsity as sparsity
from grda_edu.zeros import zeros_by_layer as zeros_by_layer

__version__: str
