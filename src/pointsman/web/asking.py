"""Who asks: the one operator, the owner of a token, or somebody with a session; and whether a form is really theirs."""

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from pointsman.access.people import Actor
from pointsman.access.tokens import csrf_matches, csrf_token
from pointsman.model.problem import Forbidden, PointsmanError
from pointsman.web.office import Office

OPERATOR_SESSION = "operator"
Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


class NotLoggedInError(PointsmanError):
    """The request says nobody's name, or proves it badly."""


def office_of(request: Request) -> Office:
    """The daemon's parts behind this request."""
    office: Office = request.app.state.office
    return office


def cookie_name(office: Office) -> str:
    """The session cookie; with TLS under the prefix that binds it to this host."""
    return "__Host-pm" if office.external_url.startswith("https:") else "pm"


def actor_of(request: Request) -> Actor:
    """Who asks; `NotLoggedInError` if that is not proven."""
    office = office_of(request)
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        actor = office.login.actor_of_token(token, office.now()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise NotLoggedInError("this token is wrong, expired or revoked", hint="make one: pointsman token create")
        return actor
    if office.operator_mode:
        return Actor(office.operator, "operator")
    session = request.cookies.get(cookie_name(office), "")
    actor = office.login.actor_of_session(session, office.now()) if session else None
    if actor is None:
        raise NotLoggedInError("you are not logged in", hint="log in at /login, or send a token")
    return actor


def form_token(request: Request) -> str:
    """The hidden field that proves a form to be ours."""
    office = office_of(request)
    session = request.cookies.get(cookie_name(office)) or OPERATOR_SESSION
    return csrf_token(office.secret.encode(), session)


def check_origin(request: Request) -> None:
    """`Forbidden` for a request that a page of another site made.

    `Sec-Fetch-Site` goes before `Origin`: under `Referrer-Policy: no-referrer` browsers send `Origin: null` with our
    own forms too.
    """
    site = request.headers.get("sec-fetch-site")
    if site in {"same-origin", "none"}:
        return
    if site is not None:
        raise Forbidden("this request comes from another site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    office = office_of(request)
    host = urlsplit(origin).netloc.lower()
    ours = urlsplit(office.external_url).netloc.lower()
    if origin == "null" or not (hmac.compare_digest(host, ours) or host in office.hosts):
        raise Forbidden("this request comes from another site")


def check_form(request: Request, given: str) -> None:
    """`Forbidden` unless the form came from our own page in this session."""
    check_origin(request)
    office = office_of(request)
    session = request.cookies.get(cookie_name(office)) or OPERATOR_SESSION
    if not csrf_matches(office.secret.encode(), session, given):
        raise Forbidden("this form is too old; open the page again")


def check_change(request: Request) -> None:
    """`Forbidden` for a change over the API that a browser was tricked into."""
    check_origin(request)
    if "authorization" in request.headers:
        return
    office = office_of(request)
    if request.cookies.get(cookie_name(office)):
        check_form(request, request.headers.get("x-csrf-token", ""))
