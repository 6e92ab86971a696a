"""Security labels: what makes a record sensitive.

https://hl7.org/fhir/R4/security-labels.html
"""

from examples.author.elements import ACT_CODE, THO, coding

RESTRICTED = coding(f"{THO}/v3-Confidentiality", "R", "restricted")
VERY_RESTRICTED = coding(f"{THO}/v3-Confidentiality", "V", "very restricted")
PSY = coding(ACT_CODE, "PSY", "psychiatry disorder information sensitivity")
HIV = coding(ACT_CODE, "HIV", "HIV/AIDS information sensitivity")
SEX = coding(ACT_CODE, "SEX", "sexuality and reproductive health information sensitivity")
SUD = coding(ACT_CODE, "SUD", "substance use disorder information sensitivity")
VIOLENCE = coding(ACT_CODE, "SDV", "sexual assault, abuse, or domestic violence information sensitivity")
