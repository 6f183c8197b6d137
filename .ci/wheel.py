"""What a wheel carries beside the code: a checkout has it beside the package, an installed package inside."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("dbt_like_sql", "data/recorded", "workspace.yaml")


class Shipped(BuildHookInterface[Any]):
    """Put the SQL, the recorded figures and the workspace file into the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name them, unless the package is installed from the checkout itself (`-e`): that reads the ones there."""
        if version == "standard":
            build_data["force_include"].update({name: f"fw_pipeline/shipped/{name}" for name in SHIPPED})
