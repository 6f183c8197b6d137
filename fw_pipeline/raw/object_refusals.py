"""What an object store refuses, in one line that names the cause and what to do.

The store's own words are not repeated: they are many, and may hold what should not be shown.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from fw_pipeline.atomic_files import StorageError

AGAIN = "then run again; nothing was lost"

_CREDENTIALS = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in one line what the store refuses; what a condition prevents and what is not there is left as it is.

    Raises:
        StorageError: there is no such bucket, the credentials are refused, or the store gives no answer.
        AlreadyExistsError, PreconditionError: another process was first.
        FileNotFoundError: there is no such object.
    """
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except (BaseError, FileNotFoundError) as error:
        refused = refusal(path.parts[1], type(error).__name__, str(error))
        if refused is None:
            raise
        raise refused from error


def refusal(bucket: str, kind: str, said: str) -> StorageError | None:
    """Return what a store refuses; None where there is no such object.

    Args:
        bucket: the name of the bucket.
        kind: the name of the error's class.
        said: its text.
    """
    code = found[1] if (found := re.search(r"<Code>(\w+)</Code>", said)) else ""
    where = f"the object store of s3://{bucket}"
    if code == "NoSuchBucket":
        cause, remedy = f"there is no bucket {bucket!r}", "create it, or mend FW_DATA_DIR"
    elif kind == "FileNotFoundError":
        return None
    elif kind in {"PermissionDeniedError", "UnauthenticatedError"} or code in _CREDENTIALS:
        cause = f"{where} refuses these credentials{f' ({code})' if code else ''}"
        remedy = "mend AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; they must allow listing, reading and writing"
    elif "169.254.169.254" in said:
        cause = f"no credentials are set for {where}"
        remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment or in .env"
    else:
        status = found[0] if (found := re.search(r"\b[45]\d\d [A-Z][A-Za-z ]+", said)) else "it gives no answer"
        cause = f"{where} cannot be used: {code or status}"
        remedy = "see that it runs and that AWS_ENDPOINT_URL is right"
    return StorageError("data folder", cause, f"{remedy}, {AGAIN}")
