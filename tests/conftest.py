"""What tests of several packages share: the devices, and how much the statistical tests draw."""

import sys

import pytest
from hypothesis import settings

settings.register_profile("fresh", deadline=None, print_blob=True)  # new examples in each run

collect_ignore = ["fixtures"]  # whose scripts need older versions of errsrc


def pytest_addoption(parser):
    parser.addoption(
        "--full-power",
        action="store_true",
        help="statistical tests draw as much as their stated power takes, not only enough for gross faults",
    )


@pytest.fixture(scope="session")
def full_power(request):
    """Whether statistical tests draw as much as their stated power takes."""
    return request.config.getoption("--full-power")


@pytest.fixture(params=["cpu", "cuda"], scope="session")
def device(request):
    """Every device that is there; what is promised to the last bit is promised on the CPU alone."""
    import torch  # here, for most tests need none

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return torch.device(request.param)


@pytest.fixture
def one_process(monkeypatch):
    """Let commands compute cells in this process: to start another takes seconds of imports."""
    from errsrc import sweeps

    def here(function, batches, **limits):
        return sweeps.serial(function, batches)

    monkeypatch.setattr(sweeps, "local", here)


@pytest.fixture(autouse=True)
def _seeded():
    """Seed torch's global generator, so that no test's draws depend on which tests ran before it."""
    if torch := sys.modules.get("torch"):  # most tests need none
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _without_own_modules():
    """Forget the modules of users that earlier tests named: a study's rows record all that are named."""
    if own := sys.modules.get("errsrc.records.own_modules"):  # most tests need none
        own._MODULES.clear()
