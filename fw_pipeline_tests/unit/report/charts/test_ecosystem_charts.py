"""Papers at conferences and the packages around both frameworks, as titles, words and figures."""

from __future__ import annotations

from fw_pipeline.report.charts import ecosystem_charts
from fw_pipeline.report.figure import sql
from fw_pipeline_tests.support.report_warehouse import Read


def test_a_title_says_who_leads_in_which_kind_of_packages(read: Read) -> None:
    drawn = ecosystem_charts.packages(read(sql("packages")), "somebody")
    assert drawn.title == (
        "Around the frameworks, PyTorch leads in companion packages (3.0 to 1, May 2023) "
        "and TensorFlow in deployment tools (4.0 to 1, May 2023)"
    )
    assert "Companion packages: 3.0 to 1 in May 2023; Deployment tools: 1 to 4.0 in May 2023." in drawn.summary
    nothing = ecosystem_charts.packages(read(sql("packages")).clear(), "somebody")
    assert nothing.summary == "No figures."


def test_papers_have_both_denominators_and_say_what_the_rest_tells(read: Read) -> None:
    drawn = ecosystem_charts.venues(read(sql("venues")), None, (), "somebody")
    assert drawn.summary == (
        "PyTorch's share by year. 2020: 60.0% of the papers that name one of the two, 6.0% of all; "
        "2021: 75.0% of the papers that name one of the two, 15.0% of all."
    )
    assert drawn.takeaway == (
        "In 2021 150 papers of one conference named PyTorch alone and 50 TensorFlow or Keras alone; "
        "80 percent of all papers named neither or both, and tell nothing."
    )
    assert drawn.title == "Papers at conferences"
