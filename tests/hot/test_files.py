"""Which functions of a file have run, and where they stand."""

import ast

from plugsock.hot.files import Ran, Section, sections, text_of

TEXT = """
def mark(function):
    return function


class Shelf:
    @mark
    def first(self):
        return sorted([2, 1], key=lambda x: -x)


def second():
    def inner():
        return 1
    return inner()


third = lambda: 3


def never():
    return 4
"""


def ran():
    module = {}
    exec(compile(TEXT, "it.py", "exec"), module)
    watching = Ran("it.py")
    with watching:
        module["Shelf"]().first()
        module["second"]()
        module["third"]()
        text_of(__file__)
    return list(watching.codes)


def test_only_what_has_run_of_that_file_is_written_down():
    names = [code.co_qualname for code in ran()]

    assert names == ["Shelf.first", "Shelf.first.<locals>.<lambda>", "second", "second.<locals>.inner", "<lambda>"]


def test_they_are_shown_by_the_outermost_function_and_the_plug_comes_first():
    assert sections(ast.parse(TEXT), ran(), "second") == [
        Section("second", 12, 15),
        Section("Shelf.first", 8, 9),
        Section("<lambda>", 18, 18),
    ]


def test_the_source_is_the_one_that_runs():
    assert "def test_the_source_is_the_one_that_runs" in text_of(__file__)
    assert text_of("no such file") == ""
