"""JSON Patch. https://hl7.org/fhir/R4/http.html#patch, https://www.rfc-editor.org/rfc/rfc6902"""

import copy
from collections.abc import Mapping
from typing import Any

import jsonpatch
import jsonpointer

from fhir_server.outcome import Category, FhirError

OPERATIONS_MAX = 1000


def apply_json_patch(resource: Mapping[str, Any], operations: Any) -> dict[str, Any]:
    """The resource after all operations. Raises FhirError that names the operation, and never shows a value.

    INVALID for an operation that is not one, UNPROCESSABLE for one that does not fit the resource.
    """
    if not isinstance(operations, list):
        raise FhirError(Category.INVALID, "a JSON Patch is an array of operations")
    if len(operations) > OPERATIONS_MAX:
        raise FhirError(Category.TOO_COSTLY, f"a patch has at most {OPERATIONS_MAX} operations")
    document: Any = copy.deepcopy(dict(resource))
    for position, operation in enumerate(operations):
        where = f"[{position}]"
        if not isinstance(operation, dict) or not all(isinstance(operation.get(k, ""), str) for k in ("path", "from")):
            raise FhirError(Category.INVALID, "an operation is an object with `op` and `path`", (where,))
        try:
            document = jsonpatch.JsonPatch([operation]).apply(document, in_place=True)
        except jsonpatch.InvalidJsonPatch as error:
            raise FhirError(Category.INVALID, str(error)[:80].lower(), (where,)) from None
        except jsonpatch.JsonPatchTestFailed:
            raise FhirError(Category.UNPROCESSABLE, "the test does not hold", (where,)) from None
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError, IndexError):
            path = operation.get("path", "")[:60]
            raise FhirError(Category.UNPROCESSABLE, f"`{path}` does not fit the resource", (where,)) from None
    if not isinstance(document, dict):
        raise FhirError(Category.UNPROCESSABLE, "the patch leaves no resource")
    return document
