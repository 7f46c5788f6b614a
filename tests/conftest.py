"""What tests of several rooms share."""

import pytest
import torch

collect_ignore = ["fixtures"]  # whose scripts need older versions of errsrc


@pytest.fixture(params=["cpu", "cuda"], scope="session")
def device(request):
    """Every device that is there; what is promised to the last bit is promised on the CPU alone."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return torch.device(request.param)
