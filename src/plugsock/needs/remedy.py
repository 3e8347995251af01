"""Which package an import that failed would have come from, and the command that installs it."""

import sys
from typing import Final

from plugsock.frozen import IS_FROZEN

OTHER_NAMES: Final = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "docx": "python-docx",
    "dns": "dnspython",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "github": "PyGithub",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "nacl": "PyNaCl",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "PySocks",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "win32api": "pywin32",
    "win32con": "pywin32",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Packages that are not called like the module that is imported from them."""


def remedy(module: str) -> str:
    """What to do about a module that was not found.

    Args:
        module: Its full name, as ModuleNotFoundError has it.
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return "it is of Python's own library, and this Python was built without it"
    if top != module and top in sys.modules:
        return f"the {top} that is installed has no such part"
    hint = f"`plugsock pip install {OTHER_NAMES.get(top, top)}` puts it into the folder's site-packages"
    if IS_FROZEN:
        return f"{hint}, if there is a wheel of it for Python {sys.version_info[0]}.{sys.version_info[1]}"
    return hint
