"""The trail of a listing over its pages, so that it cannot lead in a circle or away.

Nothing here asks for a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from fw_pipeline.http.response import Answer
from fw_pipeline.http.response_errors import InvalidResponse
from fw_pipeline.http.transport import followed, same_site

T = TypeVar("T")


class Trail:
    """The pages of one listing that were read so far."""

    def __init__(self, request_of: Callable[[str], str]) -> None:
        """Start. `request_of` gives the canonical request of an address."""
        self._request_of = request_of
        self._seen: set[str] = set()

    def turned(
        self, url: str, read: Callable[[Answer], T], next_url: Callable[[Answer], str | None], answer: Answer
    ) -> tuple[T, str | None]:
        """Return what `read` makes of the page at `url`, and the address of the next one, if there is one.

        Raises:
            InvalidResponse: the next page lies on another site, was there already, or has no address.
        """
        self._seen.add(self._request_of(url))
        result, named = read(answer), next_url(answer)
        if named is None:
            return result, None
        following = followed(url, named)
        if not same_site(urlsplit(url), urlsplit(following)):
            raise InvalidResponse(f"the next page lies on another site, {urlsplit(following).hostname}")
        if self._request_of(following) in self._seen:
            raise InvalidResponse("the next page is one that was there already")
        return result, following
