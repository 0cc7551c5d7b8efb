"""The root account of a new database server: local only, with a password."""

from pymysql.constants import ER
from pymysql.err import OperationalError

from driftline.store.connection import Connection

FOREIGN_ACCOUNTS = """
SELECT User, Host FROM mysql.user
WHERE NOT (User = 'root' AND Host = 'localhost') AND User IN ('root', '')
"""


def connect(port: int, password: str) -> Connection:
    """Connect as root; on a new server, set the password of root first.

    Raises `pymysql.err.OperationalError` if the server does not answer or root has another password.
    """
    try:
        return _connect(port, password)
    except OperationalError as error:
        if error.args[0] != ER.ACCESS_DENIED_ERROR:
            raise
    with _connect(port, "") as fresh:
        _secure(fresh, password)
    return _connect(port, password)


def answers(port: int, password: str) -> bool:
    """Return whether root can connect with its password."""
    try:
        connect(port, password).close()
    except (OperationalError, OSError):
        return False
    return True


def _secure(connection: Connection, password: str) -> None:
    """Drop the predefined accounts, then set the password of root last, as the sign that all is done."""
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_ACCOUNTS)
        for user, host in cursor.fetchall():
            cursor.execute("DROP USER %s@%s", (user, host))
        cursor.execute("ALTER USER 'root'@'localhost' IDENTIFIED BY %s", (password,))


def _connect(port: int, password: str) -> Connection:
    return Connection(host="127.0.0.1", port=port, user="root", password=password, autocommit=True, connect_timeout=5)
