"""Recorded measurements: what lessons show that is more than the curves of runs."""

from grda_edu.studies.averages import Averages
from grda_edu.studies.collapse import Collapse
from grda_edu.studies.equal_budget import EqualBudget
from grda_edu.studies.in_steps import InSteps
from grda_edu.studies.opening_valley import OpeningValley
from grda_edu.studies.paths import Paths
from grda_edu.studies.plan import Study
from grda_edu.studies.pruned import Pruning
from grda_edu.studies.resnet import ResNetStudy
from grda_edu.studies.smaller import Smaller
from grda_edu.studies.theorem import TheoremStudy
from grda_edu.studies.time_limit import FiniteTime
from grda_edu.studies.timing import Timing
from grda_edu.studies.two_processes import TwoProcesses
from grda_edu.studies.which_zeros import Masks
from grda_edu.studies.words import SEARCH, WordsChosen, WordsSearch

STUDIES: dict[str, Study] = {
    "averages": Averages(),
    "collapse": Collapse(),
    "equal_budget": EqualBudget(),
    "finite_time": FiniteTime(),
    "in_steps": InSteps(),
    "masks": Masks(),
    "opening_valley": OpeningValley(),
    "paths": Paths(),
    "pruning": Pruning(),
    "resnet20": ResNetStudy(),
    "smaller": Smaller(),
    "theorem": TheoremStudy(),
    "timing": Timing(),
    "two_processes": TwoProcesses(),
    SEARCH: WordsSearch(),
    "words": WordsChosen(),  # which reads the search
}
