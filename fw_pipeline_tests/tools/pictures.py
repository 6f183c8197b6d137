"""Make the pictures of the README and the guides anew, so that they show what is there now: `make pictures`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from fw_pipeline_tests.browser.test_ui_browser import (
    test_a_known_gap_is_materialised_without_rows_and_a_check_warns_and_says_why,
    test_lineage_shows_the_layers_and_a_search_finds_a_source,
)
from fw_pipeline_tests.support.chromium import CHROMIUM, FLAGS
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.dagster_desk import Desk
from fw_pipeline_tests.support.dagster_ui import ARTEFACTS, Ui

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SCREEN = {"width": 1280, "height": 800}


def main() -> None:
    """Run the recorded job in a folder of its own, and keep what a reader and a user of the UI see of it."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        done = fw_pipeline(data, "run")
        if done.status:
            sys.exit(done.err)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(viewport=SCREEN)
        page.goto((data / "report" / "index.html").as_uri())
        page.screenshot(path=IMAGES / "page.png")
        shutil.copy(data / "report" / "charts" / "pytorch_for_each_tensorflow.png", IMAGES / "first-chart.png")
        shutil.rmtree(data / "dagster")  # months are grey, as in the tests that are played here
        with Ui(data) as ui:
            desk = Desk(browser, ui, "pictures")
            test_lineage_shows_the_layers_and_a_search_finds_a_source(desk)
            shutil.copy(ARTEFACTS / "pictures-1-layers.png", IMAGES / "ui-lineage.png")
            desk.shots = 0
            test_a_known_gap_is_materialised_without_rows_and_a_check_warns_and_says_why(desk, ui)
            shutil.copy(ARTEFACTS / "pictures-2-known-gap.png", IMAGES / "ui-months.png")
        browser.close()


if __name__ == "__main__":
    main()
