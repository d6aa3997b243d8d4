"""A software bill of materials in CycloneDX 1.6: what is inside a bundle, in which version, under which licence."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def write_sbom(path: Path, version: str, edition: str, components: Iterable[tuple[str, str, str]]) -> None:
    """``components``: name, version and kind of licence; those whose name Debian knows come with a Debian version."""
    rows = [_component(*row) for row in components]
    unique = {row["bom-ref"]: row for row in rows}
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": f"pkg:generic/limner@{version}",
                "name": "limner",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": "limner:edition", "value": edition}],
            },
        },
        "components": list(unique.values()),
    }
    path.write_text(json.dumps(bom, indent=1) + "\n", "utf-8")


def _component(name: str, version: str, kind: str) -> dict[str, Any]:
    system = kind == "see its copyright file"
    place = "generic" if name == "Python" else "deb/debian" if system else "pypi"
    reference = f"pkg:{place}/{name.lower().replace('_', '-')}@{version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    }
    if not system:
        component["licenses"] = [_licence(kind)]
    return component


def _licence(kind: str) -> dict[str, Any]:
    """An SPDX expression where it is one, else its name as told."""
    words = re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", kind)
    is_id = [re.fullmatch(r"MIT|ISC|Zlib|[A-Za-z][A-Za-z-]*-\d[\w.-]*", word) for word in words if word]
    return {"expression": kind} if all(is_id) else {"license": {"name": kind}}
