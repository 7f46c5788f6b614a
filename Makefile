# On a fresh clone each of these is the only command needed: it sets up .venv first.

help:
	@echo "make demo       train a grid of networks, fit its scaling law, predict the large ones (minutes)"
	@echo "make test       every check: ruff, mypy, import-linter, pytest with doctests"
	@echo "make notebooks  run the notebooks, into out/notebooks as .ipynb and HTML (minutes)"
	@echo "make docs       the reference, a page a room, in docs/build"
	@echo "make clean      remove .venv and caches"

demo: .venv/.ready
	@./setup.sh fashion-mnist
	.venv/bin/errsrc demo

test: .venv/.ready
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 --hypothesis-profile=ci

notebooks: .venv/.ready
	@./setup.sh notebooks
	mkdir -p out/notebooks
	for each in notebooks/*.py; do \
		.venv/bin/python -m jupytext --quiet --output "out/$${each%.py}.ipynb" "$$each" || exit 1; \
	done
	.venv/bin/python -m nbconvert --to notebook --execute --inplace out/notebooks/*.ipynb
	.venv/bin/python -m nbconvert --to html out/notebooks/*.ipynb

.venv/.ready: pyproject.toml constraints.txt setup.sh
	@./setup.sh

docs: .venv/.ready
	.venv/bin/python -m sphinx -W --keep-going -q docs docs/build

clean:
	rm -rf .venv build dist docs/build docs/rooms *.egg-info .hypothesis .import_linter_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help demo test notebooks docs clean
