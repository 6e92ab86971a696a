"""The tables that the rules use, built anew: which purposes cover which, which labels, and what each role asks about."""

from typing import Any

import pytest

from consent.model import Role
from consent.vocabulary import (
    ACT_CODE,
    ACT_REASON,
    CONFIDENTIALITY,
    PARTICIPATION,
    Vocabulary,
    build,
)
from profiles.registry import load

THO = "http://terminology.hl7.org/CodeSystem/"


def built() -> Vocabulary:
    return build(load().codesystem, ["Observation", "Task"])


def test_each_purpose_is_covered_by_itself_and_all_above_it() -> None:
    purposes = built().purposes
    assert purposes["COC"] >= {"COC", "TREAT", "PurposeOfUse"}
    assert "ETREAT" not in purposes["COC"]
    assert purposes["BTG"] == {"BTG"}
    assert set(purposes) == set(load().codesystem(ACT_REASON).codes)  # type: ignore[union-attr]


def test_a_purpose_that_nobody_knows_is_covered_by_none() -> None:
    assert built().covers("TREAT", "COC")
    assert not built().covers("COC", "TREAT")
    assert not built().covers("TREAT", "NOSUCH")
    assert not built().covers("", "")


def test_each_label_covers_itself_and_all_below_it() -> None:
    labels = built().labels
    assert labels[ACT_CODE, "SUD"] >= {(ACT_CODE, "SUD"), (ACT_CODE, "OPIOIDUD")}
    assert labels[ACT_CODE, "OPIOIDUD"] == {(ACT_CODE, "OPIOIDUD")}
    assert (CONFIDENTIALITY, "R") in labels
    assert (ACT_CODE, "NOSUCH") not in labels


def test_roles_are_those_of_recipients_custodians_and_authors() -> None:
    roles = built().roles
    recipients = {
        (PARTICIPATION, "IRCP"),
        (PARTICIPATION, "PRCP"),
        (PARTICIPATION, "NOT"),
        (PARTICIPATION, "REFB"),
        (PARTICIPATION, "REFT"),
        (PARTICIPATION, "TRC"),
        (THO + "v3-RoleCode", "GRANTEE"),
        (THO + "v3-RoleCode", "DELEGATEE"),
        (THO + "contractsignertypecodes", "GRANTEE"),
        (THO + "contractsignertypecodes", "DELEGATEE"),
        (THO + "contractsignertypecodes", "PRIRECIP"),
        (THO + "contractsignertypecodes", "RECIP"),
        (THO + "extra-security-role-type", "humanuser"),
        (THO + "extra-security-role-type", "dataprocessor"),
        (THO + "extra-security-role-type", "datacollector"),
    }
    authors = {(PARTICIPATION, "AUT"), (THO + "contractsignertypecodes", "AUT")}
    assert {coding for coding, role in roles.items() if role is Role.AUTHOR} == authors
    assert {coding for coding, role in roles.items() if role is Role.CUSTODIAN} == {(PARTICIPATION, "CST")}
    assert {coding for coding, role in roles.items() if role is Role.RECIPIENT} == recipients
    assert (PARTICIPATION, "WIT") not in roles


def test_the_resource_types_are_those_of_the_caller() -> None:
    assert built().resource_types == {"Observation", "Task"}


@pytest.mark.parametrize("missing", [ACT_REASON, ACT_CODE, CONFIDENTIALITY, PARTICIPATION])
def test_without_a_code_system_that_the_rules_need_there_are_no_rules(missing: str) -> None:
    def without(url: str) -> Any:
        return None if url == missing else load().codesystem(url)

    with pytest.raises(LookupError, match=f"^the consent rules need the code system `{missing}`$"):
        build(without, [])


def test_nobody_changes_the_tables() -> None:
    for table in (built().purposes, built().labels, built().roles):
        with pytest.raises(TypeError):
            table["x"] = "y"  # type: ignore[index]
