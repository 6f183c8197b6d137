"""Asks a vulnerability service about every locked package, by pip-audit. Fails on a finding, and on nothing else.

    python .ci/audit.py requirements-dev.lock [--osv-url URL]

A service counts only after it knew a vulnerability that every service knows: pip-audit takes an index that keeps no
records for one that has nothing against any package. Where no service answers, that is said: it is no clean bill.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

KNOWN = "jinja2==2.4.1"
"""Vulnerable since 2014: PYSEC-2014-8."""


def ask(requirements: Path, service: list[str]) -> list[dict[str, Any]]:
    """Return what a service says of each requirement; nothing where it does not answer."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements), "--no-deps", "--disable-pip", "-f", "json"]
    options = ["--progress-spinner", "off", "--timeout", "10", *service]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)  # noqa: S603 - as above
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (json.JSONDecodeError, KeyError):
        return []


def main() -> int:
    """Audit, print one line or the findings, return 1 when there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--osv-url", help="the only service to ask, instead of PyPI and OSV")
    given = parser.parse_args()
    osv = ["-s", "osv"]
    services = [[*osv, "--osv-url", given.osv_url]] if given.osv_url else [osv, ["-s", "pypi"]]
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.txt"
        known.write_text(f"{KNOWN}\n", encoding="utf-8")
        service = next((it for it in services if any(found.get("vulns") for found in ask(known, it))), None)
    if service is None:
        print(f"{given.requirements}: not audited: no vulnerability service reachable")
        return 0
    answered = ask(given.requirements, service)
    findings = [(it["name"], it["version"], vuln) for it in answered for vuln in it.get("vulns", ())]
    for name, version, vuln in findings:
        fixed = ", ".join(vuln["fix_versions"]) or "no version yet"
        print(f"{given.requirements}: {name} {version} has {vuln['id']}, mended in {fixed}", file=sys.stderr)
    skipped = [it["name"] for it in answered if "skip_reason" in it]
    if skipped or not answered:
        print(f"{given.requirements}: not audited: {', '.join(skipped) or 'the service stopped answering'}")
    print(f"{given.requirements}: {len(answered) - len(skipped)} packages audited, findings: {len(findings)}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
