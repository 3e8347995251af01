import pytest

from plugsock.checks.bounds import holds, is_within

INT, FLOAT, TEXT = {"type": "integer"}, {"type": "number"}, {"type": "string"}


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (INT, INT),
        (INT | {"minimum": 1}, INT),
        (INT | {"minimum": 1}, INT | {"exclusiveMinimum": 0}),
        (INT | {"exclusiveMaximum": 6}, INT | {"maximum": 5}),
        (FLOAT | {"exclusiveMinimum": 0}, FLOAT | {"minimum": 0}),
        (INT | {"multipleOf": 6}, INT | {"multipleOf": 3}),
        (TEXT | {"minLength": 2, "maxLength": 3}, TEXT | {"minLength": 1, "maxLength": 3}),
        (TEXT | {"pattern": "a"}, TEXT),
        (TEXT | {"pattern": "a"}, TEXT | {"pattern": "a"}),
    ],
)
def test_within_bounds(narrow, wide):
    assert is_within(narrow, wide)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (INT, INT | {"minimum": 1}),
        (FLOAT | {"minimum": 0}, FLOAT | {"exclusiveMinimum": 0}),
        (FLOAT | {"maximum": 0}, FLOAT | {"exclusiveMaximum": 0}),
        (INT | {"multipleOf": 3}, INT | {"multipleOf": 6}),
        (INT, INT | {"multipleOf": 6}),
        (TEXT, TEXT | {"maxLength": 3}),
        (TEXT, TEXT | {"pattern": "a"}),
        (TEXT | {"format": "date"}, TEXT | {"format": "uuid"}),
    ],
)
def test_out_of_bounds(narrow, wide):
    assert not is_within(narrow, wide)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (TEXT | {"pattern": "^a", "minLength": 2}, "ab", True),
        (TEXT | {"pattern": "^a"}, "b", False),
        (TEXT | {"maxLength": 1}, "ab", False),
        (TEXT | {"format": "date"}, "2026-11-24", False),
        (INT | {"minimum": 1, "multipleOf": 2}, 2, True),
        (INT | {"multipleOf": 2}, 0, True),
        (INT | {"minimum": 1}, 0, False),
        ({"type": "boolean"}, True, True),
    ],
)
def test_one_value(schema, value, expected):
    assert holds(schema, value) is expected
