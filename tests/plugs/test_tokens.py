"""The default plug that reads JSON Web Tokens, with keys and tokens of all kinds."""

import base64
import hashlib
import hmac
import json
import logging
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from plugsock import Hello, User
from plugsock.cli.folder import look_at
from plugsock.loader.declare import MARK
from plugsock.model import AUTHENTICATE

FILE = Path(__file__).parents[2] / "plugs" / "tokens.py"

SECRET = "a secret that is known to two, and to nobody else"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()

PRIVATE = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
ALGORITHMS = {kind: jwt.get_algorithm_by_name(kind) for kind in PRIVATE}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith("PLUGSOCK_JWT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def tokens(monkeypatch):
    """Load the file as it is with these variables, and get what checks tokens."""

    def load(**said):
        for name, value in said.items():
            monkeypatch.setenv(f"PLUGSOCK_JWT_{name}", str(value))
        return runpy.run_path(str(FILE))

    return lambda **said: load(**said)["tokens"]


def pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(kind, kid=None, **more):
    key = PRIVATE[kind]
    public = json.loads(ALGORITHMS[kind].to_jwk(key.public_key()))
    public.pop("key_ops", None)
    return public | ({} if kid is None else {"kid": kid}) | more


def save(path, data):
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    beside.replace(path)
    return path


def signed(key=SECRET, algorithm="HS256", *, headers=None, **claims):
    return jwt.encode({"sub": "ada"} | claims, key, algorithm, headers=headers)


def forged(header, claims, sign=lambda _: b""):
    """A token that no library would make."""
    body = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    return (body + b"." + base64.urlsafe_b64encode(sign(body)).rstrip(b"=")).decode()


def user(tokens, token, **more):
    return tokens.user(Hello(token, **more))


def test_without_variables_nobody_is_asked():
    assert not any(MARK in getattr(each, "__dict__", {}) for each in runpy.run_path(str(FILE)).values())


@pytest.mark.parametrize("said", [{}, {"PLUGSOCK_JWT_SECRET": SECRET}], ids=["without", "with"])
def test_what_reads_tokens_is_imported_only_where_there_are_any(said):
    imported = f"import runpy, sys; runpy.run_path({str(FILE)!r}); print({{'jwt', 'cryptography'}} & {{*sys.modules}} != set())"
    found = subprocess.run([sys.executable, "-c", imported], env=os.environ | said, capture_output=True, check=True)
    assert found.stdout.decode().strip() == str(bool(said))


def test_with_them_it_authenticates(tmp_path, monkeypatch):
    (tmp_path / "plugs").mkdir()
    before = [each.event for each in look_at(tmp_path / "plugs", trust=True)[0]]
    monkeypatch.setenv("PLUGSOCK_JWT_SECRET", SECRET)
    events, problems = look_at(tmp_path / "plugs", trust=True)
    assert problems == []
    assert {each.event for each in events} - set(before) == {AUTHENTICATE}


async def test_what_is_marked_says_who_it_is(monkeypatch):
    monkeypatch.setenv("PLUGSOCK_JWT_SECRET", SECRET)
    who = runpy.run_path(str(FILE))["who"]
    assert (await who(Hello(signed()))).id == "ada"
    assert await who(Hello()) is None


def test_a_secret_signs(tokens):
    assert user(tokens(SECRET=SECRET), signed()) == User("ada")


@pytest.mark.parametrize("kind", PRIVATE)
def test_a_key_signs_by_its_kind(tokens, tmp_path, kind):
    checks = tokens(KEY=save(tmp_path / "key.pem", pem(PRIVATE[kind])))
    assert user(checks, signed(PRIVATE[kind], kind, headers={"kid": "any"})) == User("ada")
    for other, key in PRIVATE.items():
        assert other == kind or user(checks, signed(key, other)) is None


def test_each_key_of_a_set_signs_what_names_it(tokens, tmp_path):
    keys = {"keys": [jwk(kind, f"key-{kind}") for kind in PRIVATE]}
    checks = tokens(JWKS=save(tmp_path / "jwks.json", keys))
    for kind, key in PRIVATE.items():
        assert user(checks, signed(key, kind, headers={"kid": f"key-{kind}"})) == User("ada")
    assert user(checks, signed(RSA, "RS256", headers={"kid": "key-ES256"})) is None
    assert user(checks, signed(RSA, "RS256", headers={"kid": "unknown"})) is None
    assert user(checks, signed(RSA, "RS256")) is None


def test_the_only_key_of_a_set_need_not_be_named(tokens, tmp_path):
    checks = tokens(JWKS=save(tmp_path / "jwks.json", {"keys": [jwk("ES256", "one")]}))
    assert user(checks, signed(EC, "ES256")) == User("ada")
    assert user(checks, signed(EC, "ES256", headers={"kid": "two"})) is None


def test_keys_of_a_set_that_are_for_something_else_are_passed_over(tokens, tmp_path):
    others = [
        jwk("RS256", "enc", use="enc"),
        jwk("RS256", "oaep", alg="RSA-OAEP"),
        jwk("RS256", "ps", alg="PS256"),
        jwk("RS256", "ops", key_ops=["encrypt"]),
        jwk("RS256", "odd", key_ops=5),
        jwk("RS256", ["list"]),
        {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode()},
        {"kty": "RSA", "kid": "half"},
        {"kty": "quantum"},
        {"kty": "EC", "crv": "P-384", "kid": "p384", "x": "AA", "y": "AA"},
        "no key",
    ]
    checks = tokens(JWKS=save(tmp_path / "jwks.json", {"keys": [*others, jwk("EdDSA", "good")]}))
    assert user(checks, signed(ED, "EdDSA", headers={"kid": "good"})) == User("ada")
    for kid in ("enc", "oaep", "ps", "ops", "odd"):
        assert user(checks, signed(RSA, "RS256", headers={"kid": kid})) is None
    assert user(checks, signed(RSA, "PS256", headers={"kid": "ps"})) is None
    assert user(checks, signed(SECRET, headers={"kid": "oct"})) is None


def hs256(secret):
    return lambda body: hmac.new(secret, body, hashlib.sha256).digest()


GOOD = {"sub": "ada"}


@pytest.mark.fault("A2")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, "HS1", "HS384", "HS512", 256])
def test_a_token_has_no_say_in_the_algorithm(tokens, alg):
    checks = tokens(SECRET=SECRET)
    assert user(checks, forged({"alg": alg, "typ": "JWT"}, GOOD)) is None
    assert user(checks, forged({"alg": alg, "typ": "JWT"}, GOOD, hs256(SECRET.encode()))) is None
    assert user(checks, forged({"alg": "HS256", "typ": "JWT"}, GOOD, hs256(SECRET.encode()))) == User("ada")


@pytest.mark.fault("A2")
@pytest.mark.parametrize("kind", PRIVATE)
def test_a_public_key_is_no_secret_to_sign_with(tokens, tmp_path, kind):
    public = pem(PRIVATE[kind])
    header = {"alg": "HS256", "typ": "JWT", "kid": "a"}
    by_file = tokens(KEY=save(tmp_path / "key.pem", public))
    for secret in (public, public.strip(), public.decode().replace("\n", "\r\n").encode()):
        assert user(by_file, forged(header, GOOD, hs256(secret))) is None
    assert user(by_file, forged(header | {"alg": "none"}, GOOD)) is None


@pytest.mark.fault("A2")
@pytest.mark.parametrize("kind", PRIVATE)
def test_a_key_of_a_set_is_no_secret_to_sign_with(tokens, tmp_path, kind):
    listed = jwk(kind, "a")
    checks = tokens(JWKS=save(tmp_path / "jwks.json", {"keys": [listed]}))
    header = {"alg": "HS256", "typ": "JWT", "kid": "a"}
    for secret in (pem(PRIVATE[kind]), json.dumps(listed).encode()):
        assert user(checks, forged(header, GOOD, hs256(secret))) is None


@pytest.mark.fault("A2")
def test_a_token_does_not_bring_its_own_key(tokens, tmp_path):
    checks = tokens(KEY=save(tmp_path / "key.pem", pem(RSA)))
    own = json.loads(ALGORITHMS["RS256"].to_jwk(OTHER_RSA.public_key()))
    for header in (
        {"jwk": own},
        {"jku": "https://example.org/keys"},
        {"x5u": "https://example.org/x"},
        {"kid": "../k"},
    ):
        assert user(checks, signed(OTHER_RSA, "RS256", headers=header)) is None


@pytest.mark.fault("A2")
def test_what_must_be_understood_and_is_not_is_refused(tokens):
    header = {"alg": "HS256", "typ": "JWT", "crit": ["exp2"], "exp2": 1}
    assert user(tokens(SECRET=SECRET), forged(header, GOOD, hs256(SECRET.encode()))) is None


@pytest.mark.fault("A2")
@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"exp": [1]},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"aud": "another"},
        {"aud": ["another"]},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"permissions": "orders.read"},
        {"permissions": [1]},
        {"scope": ["orders.read"]},
    ],
    ids=str,
)
def test_a_claim_that_does_not_hold_is_refused(tokens, claims):
    token = forged({"alg": "HS256", "typ": "JWT"}, GOOD | claims, hs256(SECRET.encode()))
    assert user(tokens(SECRET=SECRET), token) is None


@pytest.mark.fault("A2")
def test_a_time_without_an_end_is_refused(tokens):
    body = b'{"sub":"ada","exp":Infinity}'
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
    start = head + b"." + base64.urlsafe_b64encode(body).rstrip(b"=")
    token = start + b"." + base64.urlsafe_b64encode(hs256(SECRET.encode())(start)).rstrip(b"=")
    assert user(tokens(SECRET=SECRET), token.decode()) is None


def test_without_a_subject_it_is_nobodys(tokens):
    assert user(tokens(SECRET=SECRET), jwt.encode({"name": "ada"}, SECRET)) is None


@pytest.mark.fault("A2")
def test_the_audience_must_be_named(tokens):
    checks = tokens(SECRET=SECRET, AUDIENCE="orders")
    assert user(checks, signed(aud="orders")) == User("ada")
    assert user(checks, signed(aud=["else", "orders"])) == User("ada")
    for claims in ({}, {"aud": "else"}, {"aud": []}, {"aud": "order"}, {"aud": "orders2"}, {"aud": {"orders": 1}}):
        assert user(checks, signed(**claims)) is None


@pytest.mark.fault("A2")
def test_the_issuer_must_be_the_one(tokens):
    checks = tokens(SECRET=SECRET, ISSUER="https://id.example.org")
    assert user(checks, signed(iss="https://id.example.org")) == User("ada")
    for claims in ({}, {"iss": "https://id.example.org/"}, {"iss": "id"}, {"iss": ["https://id.example.org"]}):
        token = forged({"alg": "HS256", "typ": "JWT"}, GOOD | claims, hs256(SECRET.encode()))
        assert user(checks, token) is None


def test_the_end_of_a_token_is_the_end_of_the_identity(tokens):
    soon = int(time.time()) + 60
    assert user(tokens(SECRET=SECRET), signed(exp=soon)).expires == soon


def test_clocks_may_differ_as_far_as_is_said(tokens):
    checks = tokens(SECRET=SECRET, LEEWAY="30")
    just = int(time.time()) - 10
    assert user(checks, signed(exp=just)).expires == just + 30
    assert user(checks, signed(nbf=just + 20)) == User("ada")
    assert user(checks, signed(exp=just - 30)) is None


@pytest.mark.parametrize(
    ("claims", "permissions"),
    [
        ({"permissions": ["orders.read", "orders.*"]}, {"orders.read", "orders.*"}),
        ({"scope": "openid orders.read  orders:* *"}, {"openid", "orders.read", "orders:*", "*"}),
        ({"permissions": ["a"], "scope": "b"}, {"a"}),
        ({"permissions": []}, set()),
        ({"permissions": [], "scope": "b"}, set()),
        ({"permissions": None, "scope": "b"}, {"b"}),
        ({"scope": "a*b or**  réad x,y good"}, {"good"}),
        ({"permissions": ["a b", "", "x" * 129, "y" * 128]}, {"y" * 128}),
        ({}, set()),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_what_a_user_may_do_stands_in_a_list_or_a_scope(tokens, claims, permissions):
    assert user(tokens(SECRET=SECRET), signed(**claims)).permissions == permissions


def test_a_cookie_may_have_it_where_nothing_else_has(tokens):
    checks = tokens(SECRET=SECRET, COOKIE="session")
    assert checks.user(Hello(cookies={"session": signed()})) == User("ada")
    assert checks.user(Hello("bad", cookies={"session": signed()})) is None
    assert checks.user(Hello(signed(sub="bob"), cookies={"session": signed()})) == User("bob")
    assert checks.user(Hello(cookies={"other": signed()})) is None


def test_a_cookie_that_is_not_named_is_not_looked_at(tokens):
    assert tokens(SECRET=SECRET).user(Hello(cookies={"": signed(), "session": signed()})) is None


@pytest.fixture(scope="module")
def by_secret():
    os.environ["PLUGSOCK_JWT_SECRET"] = SECRET
    try:
        return runpy.run_path(str(FILE))["tokens"]
    finally:
        del os.environ["PLUGSOCK_JWT_SECRET"]


PART = st.sampled_from([*signed().split("."), "", "e30", "bnVsbA", "W10", "MQ", "\ud800", "é", "=", "W" * 10_000])


@pytest.mark.fault("A2")
@given(st.lists(PART, max_size=5).map(".".join) | st.text() | st.lists(st.text(max_size=9), max_size=4).map(".".join))
def test_whatever_is_shown_gets_the_same_answer(by_secret, token):
    assert user(by_secret, token) in (None, User("ada"))


@pytest.mark.fault("A2")
def test_a_token_that_is_nested_too_deeply_is_refused_too(by_secret):
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 100_000).decode()
    assert user(by_secret, f"{deep}.e30.") is None


@pytest.mark.fault("A2")
def test_any_change_to_a_token_spoils_it(by_secret):
    token = signed(permissions=["orders.read"])
    head, body, signature = token.split(".")
    richer = base64.urlsafe_b64encode(b'{"sub":"ada","permissions":["*"]}').rstrip(b"=").decode()
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for spoilt in (f"{head}.{richer}.{signature}", f"{head}.{body}.{flipped}", f"{head}.{body}.", f"{head}.{body}"):
        assert user(by_secret, spoilt) is None


@pytest.mark.fault("A4")
def test_the_log_says_why_and_nothing_of_the_token(tokens, caplog):
    caplog.set_level(logging.DEBUG)
    checks = tokens(SECRET=SECRET, AUDIENCE="orders")
    sentinel = "c2VudGluZWw"
    shown = [signed(exp=1, jti=sentinel), signed(aud=sentinel), sentinel, f"{sentinel}.{sentinel}.{sentinel}"]
    shown.append(forged({"alg": sentinel, "kid": sentinel, "crit": [sentinel]}, {"sub": sentinel}))
    for token in shown:
        assert user(checks, token) is None
    said = [record.getMessage() for record in caplog.records if record.name == "plugsock.tokens"]
    assert said[:2] == ["a token is refused: ExpiredSignatureError", "a token is refused: InvalidAudienceError"]
    assert len(said) == len(shown)
    assert not any(
        part in caplog.text for token in shown for part in (token, sentinel, SECRET, *token.split(".")) if part
    )


def test_a_key_that_is_replaced_counts_from_the_next_token_on(tokens, tmp_path):
    path = save(tmp_path / "key.pem", pem(RSA))
    checks = tokens(KEY=path)
    save(path, pem(OTHER_RSA))
    assert user(checks, signed(OTHER_RSA, "RS256")) == User("ada")
    assert user(checks, signed(RSA, "RS256")) is None
    save(path, pem(ED))
    assert user(checks, signed(ED, "EdDSA")) == User("ada")


def test_a_key_that_is_added_to_a_set_is_found(tokens, tmp_path):
    path = save(tmp_path / "jwks.json", {"keys": [jwk("RS256", "a")]})
    checks = tokens(JWKS=path)
    assert user(checks, signed(EC, "ES256", headers={"kid": "b"})) is None
    save(path, {"keys": [jwk("RS256", "a"), jwk("ES256", "b")]})
    assert user(checks, signed(EC, "ES256", headers={"kid": "b"})) == User("ada")


@pytest.mark.parametrize("broken", [b"", b"{", b'{"keys":[]}', b"[]", b"\xff", b'{"keys":5}', None])
def test_a_file_that_is_broken_or_gone_leaves_the_keys_as_they_are(tokens, tmp_path, caplog, broken):
    path = save(tmp_path / "jwks.json", {"keys": [jwk("RS256", "a")]})
    checks = tokens(JWKS=path)
    if broken is None:
        path.unlink()
    else:
        save(path, broken)
    for _ in range(3):
        assert user(checks, signed(RSA, "RS256")) == User("ada")
    assert [record.getMessage() for record in caplog.records if "is not used" in record.getMessage()] == [
        record.getMessage() for record in caplog.records
    ]
    assert len(caplog.records) == 1
    save(path, {"keys": [jwk("ES256", "b")]})
    assert user(checks, signed(EC, "ES256")) == User("ada")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"SECRET": "short"},
            "PLUGSOCK_JWT_SECRET: a secret has at least 32 bytes: `openssl rand -base64 32` makes one",
        ),
        ({"SECRET": ""}, "PLUGSOCK_JWT_SECRET is empty: give it a value or remove it"),
        ({"SECRTE": SECRET}, "PLUGSOCK_JWT_SECRTE is none of PLUGSOCK_JWT_SECRET, PLUGSOCK_JWT_KEY, "),
        ({"AUDIENCE": "orders"}, "PLUGSOCK_JWT_JWKS must be set, and there is none"),
        ({"SECRET": SECRET, "KEY": "key.pem"}, "must be set, and there are more"),
        ({"SECRET": SECRET, "LEEWAY": "soon"}, "PLUGSOCK_JWT_LEEWAY=soon must be seconds, 300 at most"),
        ({"SECRET": SECRET, "LEEWAY": "-1"}, "must be seconds"),
        ({"SECRET": SECRET, "LEEWAY": "nan"}, "must be seconds"),
        ({"SECRET": SECRET, "LEEWAY": "301"}, "must be seconds"),
        ({"KEY": "missing.pem"}, "PLUGSOCK_JWT_KEY: missing.pem can't be read: No such file"),
        ({"JWKS": "."}, "PLUGSOCK_JWT_JWKS: . can't be read"),
    ],
    ids=str,
)
def test_what_can_not_be_is_an_error_that_says_what_would_be_right(tokens, said, why):
    with pytest.raises(ValueError) as error:
        tokens(**said)
    assert why in str(error.value)
    assert SECRET not in str(error.value)


def private(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file holds no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "the file holds no public key"),
        (private(ED), "the file holds no public key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "is RSA (of 2048 bits or more), P-256 or Ed25519"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "is RSA (of 2048 bits or more)"),
    ],
    ids=["empty", "no key", "private", "P-384", "1024 bits"],
)
def test_a_file_without_a_fitting_key_is_an_error(tokens, tmp_path, data, why):
    with pytest.raises(ValueError) as error:
        tokens(KEY=save(tmp_path / "key.pem", data))
    assert why in str(error.value)


def test_a_variable_that_can_not_be_is_a_problem_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "plugs").mkdir()
    monkeypatch.setenv("PLUGSOCK_JWT_SECRET", "short")
    events, (problem,) = look_at(tmp_path / "plugs", trust=True)
    assert (problem.file.endswith("tokens.py"), problem.events) == (True, (AUTHENTICATE,))
    assert AUTHENTICATE not in [each.event for each in events]
    assert "a secret has at least 32 bytes" in problem.message


@pytest.mark.fault("A2")
def test_how_wrong_a_signature_is_does_not_show_in_the_time(by_secret, monkeypatch):
    compared = []
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(len(one)) or False)
    assert user(by_secret, signed()) is None
    assert compared == [32]
