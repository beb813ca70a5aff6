"""How the simulator answers: JSON, pages with links, errors in GitHub's words."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from aiohttp import web

DOCUMENTATION = "https://docs.github.com/rest"


class GitHubError(Exception):
    """An answer that is not a success; the middleware sends it."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}

    def response(self) -> web.Response:
        """The answer itself."""
        body = {
            "message": self.message,
            "documentation_url": DOCUMENTATION,
            "status": str(self.status),
        }
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found() -> NoReturn:
    """Also the answer to whoever may not see a thing."""
    raise GitHubError(404, "Not Found")


def answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.json_response(body, status=status)


def page(
    request: web.Request,
    items: Sequence[Any],
    shape: Callable[[Any], Any],
    key: str | None = None,
) -> web.Response:
    """The page that the request asks for, with its Link header.

    A list, or, with `key`, an object that has the list there and total_count.
    """
    number = max(1, int(request.query.get("page", "1")))
    size = min(100, max(1, int(request.query.get("per_page", "30"))))
    last = max(1, -(-len(items) // size))
    shaped = [shape(item) for item in items[(number - 1) * size : number * size]]
    body = shaped if key is None else {"total_count": len(items), key: shaped}
    response = answer(body)
    links = {"first": 1, "prev": number - 1} if number > 1 else {}
    links |= {"next": number + 1, "last": last} if number < last else {}
    if links:
        response.headers["Link"] = ", ".join(
            f'<{request.url.update_query(page=to)}>; rel="{name}"' for name, to in links.items()
        )
    return response
