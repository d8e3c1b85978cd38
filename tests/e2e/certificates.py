# SPDX-License-Identifier: MIT
"""An authority of the tests' own, and certificates of every kind from it; made with the openssl command."""

import datetime
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """The files of a certificate and its key."""

    cert: Path
    key: Path


class Authority:
    """Issues certificates; `ca_file` is what has to be trusted for them."""

    def __init__(self, folder, name="ca"):
        self.folder = Path(folder)
        self.name = name
        self.ca_file = self.folder / f"{name}.pem"
        self._key = self.folder / f"{name}.key"
        self._openssl(
            "req", "-x509", *self._new_key(self._key), "-out", self.ca_file, "-days", "30", "-subj", f"/CN=Tests {name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )

    def _openssl(self, *args):
        done = subprocess.run(
            ["openssl", *map(str, args)], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @staticmethod
    def _new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", expired=False, self_signed=False):
        """Makes a certificate for `names` (as openssl.cnf writes them)."""
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request = self.folder / f"{name}.csr"
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        if self_signed:
            self._openssl("req", "-x509", *self._new_key(pair.key), "-out", pair.cert, "-days", "2", *subject)
            return pair
        self._openssl("req", *self._new_key(pair.key), "-out", request, *subject)
        today = datetime.datetime.now(datetime.UTC)
        ends = today + datetime.timedelta(days=-1 if expired else 2)
        # "ca" is the one command of OpenSSL 3.0 that takes dates; it wants a small directory of its own.
        database = self.folder / f"{self.name}.db"
        shutil.rmtree(database, ignore_errors=True)
        database.mkdir()
        (database / "index").touch()
        config = database / "config"
        config.write_text(
            f"[ca]\ndefault_ca=it\n[it]\ndatabase={database}/index\nnew_certs_dir={database}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n",
        )
        self._openssl(
            "ca", "-batch", "-notext", "-config", config, "-in", request, "-out", pair.cert, "-cert", self.ca_file,
            "-keyfile", self._key, "-startdate", f"{today - datetime.timedelta(days=3):%y%m%d%H%M%SZ}",
            "-enddate", f"{ends:%y%m%d%H%M%SZ}",
        )
        return pair

    def client_context(self):
        """What a client of Python's needs to trust this authority."""
        return ssl.create_default_context(cafile=str(self.ca_file))
