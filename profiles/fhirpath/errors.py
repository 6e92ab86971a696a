"""What can go wrong with a FHIRPath expression: its text, its evaluation, or its cost (http://hl7.org/fhirpath/N1/)."""


class FhirPathError(Exception):
    """The expression cannot be evaluated on this input; the text names the rule and never a value from the resource."""


class FhirPathSyntaxError(FhirPathError):
    """The text is no FHIRPath expression, or names a function that is not supported."""


class FhirPathLimitError(FhirPathError):
    """The evaluation would cost more than its budget allows."""
