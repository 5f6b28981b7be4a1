"""The how-to pages that need several processes, or packages of other people, do what they say."""

import os

import pytest

from tests.docs.running import HOWTO, ROOT, STACKS, run

pytestmark = [pytest.mark.stacks, pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("name", STACKS)
def test_the_page_does_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    run(HOWTO / f"{name}.md", tmp_path)
