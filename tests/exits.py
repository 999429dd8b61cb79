"""Finds what could lead out of a process: clients, sockets, look-ups of names, other programs. Reads code, runs none.

`exits(source)` gives the ways out of one module, each as a dotted name. Names are followed through imports and their
aliases, also inside functions; what is reached by a text (`importlib.import_module`) is a way out itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

CLIENTS = (
    *("requests", "urllib3", "httpx", "aiohttp", "pycurl", "websockets", "websocket", "paramiko", "httplib2"),
    *("http.client", "urllib.request", "smtplib", "ftplib", "poplib", "imaplib", "nntplib", "telnetlib"),
    *("xmlrpc.client", "multiprocessing.connection", "logging.handlers", "socks", "redis", "psycopg"),
)
CALLS = (
    *("socket.socket", "socket.create_connection", "socket.fromfd", "socket.getaddrinfo", "socket.gethostbyname"),
    *("socket.gethostbyname_ex", "socket.gethostbyaddr", "socket.getnameinfo", "asyncio.open_connection"),
    *("asyncio.open_unix_connection", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    *("subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    *("subprocess.getoutput", "os.system", "os.popen", "os.posix_spawn", "os.posix_spawnp", "os.execv", "os.execve"),
    *("os.execvp", "os.execvpe", "os.execl", "os.execlp", "os.spawnv", "os.spawnl", "os.spawnvp", "pty.spawn"),
    *("importlib.import_module", "importlib.__import__", "runpy.run_path", "ctypes.CDLL", "ctypes.cdll"),
)
NAMELESS = ("__import__",)
METHODS = ("connect_ex", "create_connection", "open_connection", "urlopen", "sendto", "getaddrinfo", "subprocess_exec")
RESOLVERS = ("dns.resolver", "dns.query", "dns.asyncresolver", "dns.asyncquery", "dns.nameserver")


def exits(source: str) -> set[str]:
    """The ways out of this module."""
    tree = ast.parse(source)
    found = {name for name in _imported(tree) if _is_in(name, CLIENTS + RESOLVERS)}
    known = _aliases(tree)
    speaks_sockets = any(value == "socket" or value.startswith("socket.") for value in known.values())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = _qualified(node, known)
            if name in CALLS or name in NAMELESS:
                found.add(name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in METHODS and _qualified(node.func, known) not in CALLS:
                found.add(f".{node.func.attr}")
            if node.func.attr == "connect" and speaks_sockets and "engine" not in ast.unparse(node.func):
                found.add(".connect")
    return found


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _aliases(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def _qualified(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        outer = _qualified(node.value, known)
        return f"{outer}.{node.attr}" if outer else ""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id if node.id in NAMELESS else "")
    return ""
