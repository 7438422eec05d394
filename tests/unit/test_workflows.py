"""What is written for other people's machines, as far as it can be held against this checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def classified() -> list[str]:
    """The Pythons that pyproject.toml promises."""
    prefix = "Programming Language :: Python :: 3."
    return [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if name.startswith(prefix)]


def test_the_oldest_python_that_is_promised_is_the_one_that_is_required() -> None:
    assert PROJECT["requires-python"] == f">={classified()[0]}"
    assert len(classified()) == len(set(classified()))


@pytest.mark.parametrize("job", ["linux", "elsewhere"])
def test_ci_runs_every_python_that_is_promised(job: str) -> None:
    matrix = loaded(".github/workflows/ci.yml")["jobs"][job]["strategy"]["matrix"]
    assert matrix["python"] == classified()


def test_ci_runs_the_oldest_dependencies_on_the_oldest_python() -> None:
    matrix = loaded(".github/workflows/ci.yml")["jobs"]["linux"]["strategy"]["matrix"]
    assert {"python": classified()[0], "dependencies": "oldest"} in matrix["include"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_does_one_thing_and_every_job_waits_for_one_that_is_there(path: Path) -> None:
    assert all(("run" in step) != ("uses" in step) for step in steps(path))
    assert all("runs-on" in job and job.get("needs", "build") in {*jobs(path), "build"} for job in jobs(path).values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_targets_that_the_makefile_has(path: Path) -> None:
    commands = [step["run"] for step in steps(path) if "run" in step]
    targets = [found for text in commands for found in re.findall(r"^make (\S+)", text, re.M)]
    assert [target for target in targets if not re.search(rf"^{re.escape(target)}:", MAKEFILE, re.M)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_may_write_more_than_it_needs(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}
    allowed = {"pypi": {"id-token": "write"}, "image": {"contents": "read", "packages": "write"}}
    assert {name: job["permissions"] for name, job in jobs(path).items() if "permissions" in job} in ({}, allowed)


@pytest.mark.skipif(sys.platform == "win32", reason="the step is a line of a POSIX shell")
@pytest.mark.parametrize(("tag", "fits"), [(f"v{PROJECT['version']}", True), ("v99.0.0", False), ("vv1", False)])
def test_only_the_tag_of_this_version_becomes_a_release(tag: str, fits: bool) -> None:
    [script] = [step["run"] for step in steps(ROOT / ".github/workflows/release.yml") if "tag" in step.get("name", "")]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env={"GITHUB_REF_NAME": tag, "PATH": path}, capture_output=True, check=False
    )
    assert not done.stderr
    assert (done.returncode == 0) is fits


def test_hooks_before_a_commit_are_what_make_lint_runs() -> None:
    hooks = [hook for repo in loaded(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    assert recipe
    linted = {line.strip().removesuffix(" .").removesuffix(" --check") for line in recipe[1].splitlines()}
    assert {hook["entry"] for hook in hooks} == {line.removesuffix(" .") for line in linted}
    assert {hook["language"] for hook in hooks} == {"system"}


def test_the_image_copies_what_is_there_and_not_left_out() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [name for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.M) for name in line.split()[:-1]]
    assert "pyproject.toml" in sources
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert [name for name in sources if not any(fnmatch(name, pattern) for pattern in kept)] == []
    # hatchling reads these, too: without them the wheel cannot be built
    assert {PROJECT["readme"], *PROJECT["license-files"]} <= set(sources)


def test_the_image_does_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", text, re.M) == ["10001"]
    assert text.index("USER") > text.rindex("RUN")
