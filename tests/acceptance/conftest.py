import pytest
from acceptance_world import World


@pytest.fixture(scope="session")
def world(served_demo):
    return World(served_demo)
