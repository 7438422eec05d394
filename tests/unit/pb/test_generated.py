"""promfill/pb is what `make proto` makes of proto/ today, and runs with the oldest protobuf that is allowed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GENERATOR = ROOT / ".protoc" / "bin" / "python"
NAMES = sorted(path.stem for path in (ROOT / "proto").glob("*.proto"))


@pytest.mark.skipif(not GENERATOR.exists(), reason="no generator: make .protoc/.installed")
def test_pb_is_up_to_date(tmp_path: Path) -> None:
    paths = ["-Ipromfill/pb=proto", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    files = [f"promfill/pb/{name}.proto" for name in NAMES]
    subprocess.run([GENERATOR, "-m", "grpc_tools.protoc", *paths, *files], cwd=ROOT, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "promfill" / "pb").iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "promfill" / "pb").glob("*_pb2.py*")}
    assert made == kept


@pytest.mark.skipif(not GENERATOR.exists(), reason="no older protobuf: make .protoc/.installed")
@pytest.mark.parametrize("name", NAMES)
def test_pb_runs_with_protobuf_5(name: str) -> None:
    source = f"import google.protobuf, promfill.pb.{name}_pb2; print(google.protobuf.__version__)"
    done = subprocess.run([GENERATOR, "-c", source], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("5.29.")
