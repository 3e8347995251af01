"""Strings and bytes: what the name of their field suggests, what a pattern asks for, so long as they may be."""

import functools
import re
from collections.abc import Iterable
from random import Random
from typing import Any, Final

from faker import Faker
from msgspec import inspect as spec
from polyfactory.value_generators.constrained_strings import handle_constrained_string_or_bytes

LONGEST: Final = 24
"""Bytes, where nothing says how many."""

WORDS: Final = {
    **dict.fromkeys(("name", "fullname", "author", "customer", "owner", "contact"), "name"),
    **dict.fromkeys(("firstname", "givenname", "forename"), "first_name"),
    **dict.fromkeys(("lastname", "surname", "familyname"), "last_name"),
    **dict.fromkeys(("user", "username", "login", "nick", "nickname"), "user_name"),
    **dict.fromkeys(("email", "mail"), "ascii_safe_email"),
    **dict.fromkeys(("phone", "telephone", "mobile"), "phone_number"),
    **dict.fromkeys(("address", "street"), "street_address"),
    **dict.fromkeys(("zip", "zipcode", "postcode", "postalcode"), "postcode"),
    **dict.fromkeys(("city", "town"), "city"),
    "country": "country",
    "company": "company",
    **dict.fromkeys(("url", "link", "href", "website", "homepage"), "url"),
    **dict.fromkeys(("host", "hostname", "domain"), "domain_name"),
    **dict.fromkeys(("ip", "ipaddress"), "ipv4"),
    **dict.fromkeys(("title", "subject", "headline"), "catch_phrase"),
    **dict.fromkeys(("text", "body", "message", "description", "comment", "note", "summary", "about"), "sentence"),
    **dict.fromkeys(("color", "colour"), "safe_color_name"),
    "currency": "currency_code",
    "job": "job",
}
"""What Faker has for a field of such a name."""

_NO_LETTERS: Final = re.compile(r"[^a-z]")


def text(random: Random, info: spec.StrType, name: str) -> str:
    """A string that is likely to fit.

    Args:
        random: Where chance comes from.
        info: Its pattern and length.
        name: Of the field that it is for; empty if it is for none.
    """
    if info.pattern is not None:
        made: str = handle_constrained_string_or_bytes(
            Steady(random), str, min_length=info.min_length, max_length=info.max_length, pattern=info.pattern
        )
        return made
    found = word(random, name)
    while len(found) < (info.min_length or 0):
        found = f"{found} {word(random)}"
    return found[: info.max_length]


def word(random: Random, name: str = "") -> str:
    """A word, or what the name of a field suggests: `email` an address, `customer_name` a name."""
    fake = _fake()
    fake.seed_instance(random.getrandbits(64))
    kind = WORDS.get(_NO_LETTERS.sub("", name.lower())) or WORDS.get(_last(name), "word")
    return str(getattr(fake, kind)())


def data(random: Random, least: int | None, most: int | None) -> bytes:
    """Bytes of such a length."""
    least = least or 0
    most = max(least, LONGEST) if most is None else most
    return random.randbytes(random.randint(min(max(least, 1), most), most))


def fits(info: spec.StrType, value: str) -> bool:
    """Has it the length and the pattern?"""
    return (info.min_length or 0) <= len(value) <= (len(value) if info.max_length is None else info.max_length) and (
        info.pattern is None or re.search(info.pattern, value) is not None
    )


class Steady(Random):
    """Chance for who draws from a list that was made of a set: its order is another one in each process.

    Args:
        random: What it goes on from.
    """

    def __init__(self, random: Random) -> None:
        super().__init__(random.getrandbits(64))

    def choice(self, seq: Any) -> Any:
        """One of them."""
        return super().choice(sorted(seq) if _are_texts(seq) else seq)


def _are_texts(seq: Iterable[Any]) -> bool:
    return all(isinstance(each, str) for each in seq)


def _last(name: str) -> str:
    """`name` of `customer_name` and of `customerName`."""
    parts: list[str] = re.findall(r"[A-Z]?[a-z]+", name)
    return parts[-1].lower() if parts else ""


@functools.cache
def _fake() -> Faker:
    return Faker("en_US")
