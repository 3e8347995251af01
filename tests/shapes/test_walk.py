from plugsock.shapes.walk import changed


def closed(schema):
    return {**schema, "closed": True}


def test_all_schemas_within_one_are_changed():
    schema = {"properties": {"a": {}, "b": True}, "items": {"anyOf": [{"not": {}}]}}

    assert changed(schema, closed) == {
        "properties": {"a": {"closed": True}, "b": True},
        "items": {"anyOf": [{"not": {"closed": True}, "closed": True}], "closed": True},
        "closed": True,
    }


def test_what_is_a_value_stays_as_it_is():
    schema = {"default": {"items": {}}, "examples": [{"properties": {}}], "enum": [{}], "const": {"not": {}}}

    assert changed(schema, closed) == {**schema, "closed": True}


def test_a_field_may_be_called_like_a_keyword():
    schema = {"properties": {"items": {}, "properties": {}, "default": {}}}

    assert set(map(str, changed(schema, closed)["properties"].values())) == {"{'closed': True}"}


def test_it_is_done_from_the_inside_out():
    seen = []

    changed({"title": 1, "items": {"title": 2, "items": {"title": 3}}}, lambda part: seen.append(part["title"]) or part)

    assert seen == [3, 2, 1]
