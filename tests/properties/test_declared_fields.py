"""Fields of dataclasses accept what they declare; messages and specs say the same."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import errsrc
from errsrc import bases, fields, learners, nets
from errsrc import settings as settings_package
from errsrc.fields import Checked
from errsrc.studies import parse
from errsrc.testing import accepted_values, instances, refused_values


def declaring() -> list[type]:
    """Every class of errsrc with a field that declares a rule."""
    found: dict[str, type] = {}
    for module in pkgutil.walk_packages(errsrc.__path__, "errsrc."):
        if "__main__" not in module.name:
            for item in vars(importlib.import_module(module.name)).values():
                own = (
                    inspect.isclass(item)
                    and item.__module__.startswith("errsrc.")
                    and issubclass(item, Checked)
                )
                if (
                    own
                    and dataclasses.is_dataclass(item)
                    and not inspect.isabstract(item)
                    and fields.rules(item)
                ):
                    found[f"{item.__module__}.{item.__qualname__}"] = item
    return [found[name] for name in sorted(found)]


CLASSES = declaring()
EXAMPLES: dict[str, Any] = {}
for package in (bases, learners, nets, settings_package):
    for cls in package.ALL.values():
        if all(
            f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
            for f in dataclasses.fields(cls)
        ):
            EXAMPLES[cls.__name__] = cls()


def test_many_classes_declare_their_fields() -> None:
    assert len(CLASSES) > 30


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_value_that_a_rule_refuses_is_refused_in_its_words(cls: Any) -> None:
    """One field at a time; the others keep their defaults, or get a value that their rule accepts."""
    rules = fields.rules(cls)
    given_values = {}
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if missing and field.init:
            strategy = accepted_values(rules[field.name]) if field.name in rules else None
            if strategy is None:
                pytest.skip(f"no strategy for the field {field.name}")
            given_values[field.name] = sample(strategy)
    where = cls.__name__
    for name, rule in rules.items():
        for value in refused_values(rule):
            with pytest.raises((TypeError, ValueError)) as caught:
                cls(**{**given_values, name: value})
            assert f"The {name!r} parameter of {where} must be " in str(caught.value), (name, value)
            assert "\n" not in str(caught.value)


def sample(strategy: st.SearchStrategy[Any]) -> Any:
    """One value of a strategy, the same each time."""
    found: list[Any] = []

    @settings(max_examples=1, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found[0]


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(EXAMPLES))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_instances_are_drawn_from_the_rules_alone(name: str, data: st.DataObject) -> None:
    cls = type(EXAMPLES[name])
    drawn = data.draw(instances(cls))
    for field, rule in fields.rules(cls).items():
        rule(getattr(drawn, field), field, cls.__name__)  # raises where it is refused


def test_a_spec_is_refused_in_the_words_of_the_rule() -> None:
    spec = """
    kind = "vision"
    cell = {dataset = "digits", family = "mlp", width = 8, validation = 397, n = 90, recipe.learning_rate = 0}
    """
    from errsrc.training import Recipe

    accepted = fields.rules(Recipe)["learning_rate"].accepted
    with pytest.raises(ValueError, match=f"'learning_rate' parameter of Recipe must be {accepted}"):
        parse(spec)
