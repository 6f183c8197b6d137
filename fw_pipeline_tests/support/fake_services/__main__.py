"""Start the fake services by hand: `python -m fw_pipeline_tests.support.fake_services --port 8100`."""

from __future__ import annotations

import argparse
import threading
from datetime import UTC, date, datetime

from fw_pipeline_tests.support.fake_services.server import SERVICES, FakeServices
from fw_pipeline_tests.support.fake_services.world import World


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="fake_services", description=__doc__)
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--today", default="2023-07-05", help="the services' present day, or `now`")
    chosen = parser.parse_args()
    today = datetime.now(UTC).date() if chosen.today == "now" else date.fromisoformat(chosen.today)
    with FakeServices(World(today=today), port=chosen.port) as services:
        for name in SERVICES:
            print(f"{services.url}/{name}", flush=True)
        print(f"log: GET {services.url}/_log   faults: POST {services.url}/_faults   anew: POST {services.url}/_reset")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
