"""Where somebody may be led after signing in: to a path of the gateway's own and nowhere else."""


def is_safe_return_path(text: str) -> bool:
    """Whether every browser takes `text` for a path below the page's own host.

    Browsers read backslashes as slashes and drop tabs and line ends; two slashes begin a host.
    """
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return False
    return not any(ord(each) <= 0x20 or 0x7F <= ord(each) <= 0x9F for each in text)
