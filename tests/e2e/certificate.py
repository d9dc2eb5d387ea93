"""A certificate that no system trusts, for the tests that serve TLS."""

import subprocess


def self_signed(folder, subject, *options):
    """The files of the certificate and of its key. `options`: more of the command `openssl req`."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}"]
    subprocess.run([*line, *options, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key
