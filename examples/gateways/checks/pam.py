"""sshd and ProFTPD, which ask Muster by PAM: how they are brought up, and the checks through them."""

import ftplib
import io
import os
import pathlib
import subprocess
import tempfile

from .processes import Skip, find, output

CLIENT = "127.0.0.2"

# Runs as root in a mount namespace of its own. Only this server sees what is bound over /etc and /run here.
NAMESPACE = """
for name in pam.d passwd shadow; do mount --bind "$1/etc/$name" "/etc/$name"; done
mount -t tmpfs tmpfs /run
mkdir /run/sshd /run/proftpd
shift
exec "$@"
"""


def namespace(site, service, user):
    """The command that enters a mount namespace in which PAM asks Muster, and in which the system knows the user."""
    if os.getuid():
        raise Skip("run this as root; it needs a mount namespace")
    if output("unshare", "--mount", "true"):
        raise Skip("mount namespaces are not allowed here; run this outside of a container")
    etc = pathlib.Path(site.folder, "etc")
    (etc / "pam.d").mkdir(parents=True)
    for file in pathlib.Path("/etc/pam.d").iterdir():
        (etc / "pam.d" / file.name).write_bytes(file.read_bytes())
    script = site.adapted("pam/ask-muster")
    os.chmod(script, 0o755)
    lines = pathlib.Path(site.adapted("pam/muster")).read_text().replace("/usr/local/bin/ask-muster", script)
    (etc / "pam.d/muster").write_text(lines)
    ours = etc / "pam.d" / service
    ours.write_text(ours.read_text().replace("@include common-auth", "@include muster"))
    home = pathlib.Path(site.folder, "home")
    home.mkdir()
    os.chown(home, 65534, 65534)
    (etc / "passwd").write_text(pathlib.Path("/etc/passwd").read_text() + f"{user}:x:65534:65534::{home}:/bin/sh\n")
    # As useradd leaves it: no password of the system fits. The others are not needed, so their hashes stay where they are.
    (etc / "shadow").write_text(f"{user}:!:20000:0:99999:7:::\n")
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", NAMESPACE, "sh", site.folder]


def sshd(site, user):
    """OpenSSH's server with the lines of the example."""
    how = "apt-get install openssh-server openssh-sftp-server openssh-client"
    program = find([os.environ.get("SSHD"), "sshd"], how)
    find(["sftp"], how)
    inside = namespace(site, "sshd", user)
    key = f"{site.folder}/key"
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    own = f"Port {site.port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\nSubsystem sftp internal-sftp\n"
    config = site.adapted("pam/sshd_config")
    pathlib.Path(config).write_text(own + pathlib.Path(config).read_text())
    site.start(*inside, program, "-D", "-e", "-f", config)
    return output("ssh", "-V").split()[0].rstrip(",")


def proftpd(site, user):
    """ProFTPD with the lines of the example."""
    program = find([os.environ.get("PROFTPD"), "proftpd"], "apt-get install proftpd-core")
    inside = namespace(site, "proftpd", user)
    own = (
        f"ServerType standalone\nUser nobody\nGroup nogroup\n"
        f"DefaultAddress 127.0.0.1\nSocketBindTight on\nPort {site.port}\nUseIPv6 off\n"
        f"PidFile {site.folder}/pid\nScoreboardFile {site.folder}/scoreboard\nDelayTable none\n"
        f"SystemLog {site.folder}/errors\nWtmpLog off\n"
    )
    config = site.adapted("pam/proftpd.conf")
    pathlib.Path(config).write_text(own + pathlib.Path(config).read_text())
    site.start(*inside, program, "--nodaemon", "--config", config)
    return output(program, "--version").split()[-1]


SERVERS = {"sshd": sshd, "proftpd": proftpd}


def by_sftp(port, name, password):
    """Lists the home folder by SFTP; whether that works."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "NumberOfPasswordPrompts=1", "BatchMode=no"]
    options += [f"BindAddress={CLIENT}", "PreferredAuthentications=password", "ConnectTimeout=20"]
    command = ["sftp", "-F", "none", "-q", *(word for option in options for word in ("-o", option))]
    with tempfile.TemporaryDirectory() as folder:
        # sftp takes a password from a terminal or from a program that prints it.
        asked = pathlib.Path(folder, "password")
        asked.write_text('#!/bin/sh\nprintf "%s\\n" "$PASSWORD"\n')
        asked.chmod(0o700)
        env = {"PATH": "/usr/bin:/bin", "SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD": password}
        done = subprocess.run(
            [*command, "-b", "-", "-P", str(port), f"{name}@127.0.0.1"],
            input=b"ls\n",
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    return done.returncode == 0


def by_ftp(port, name, password):
    """Stores a file by FTP and reads it again; whether that works."""
    with ftplib.FTP(timeout=30, source_address=(CLIENT, 0)) as ftp:
        ftp.connect("127.0.0.1", port)
        try:
            ftp.login(name, password)
        except ftplib.error_perm:
            return False
        pieces = []
        ftp.storbinary("STOR greeting", io.BytesIO(b"hello"))
        ftp.retrbinary("RETR greeting", pieces.append)
        ftp.delete("greeting")
        return b"".join(pieces) == b"hello"


def check(name, port, muster, relay, report):
    """All checks through the server that listens on `port`."""
    enters = {"sshd": by_sftp, "proftpd": by_ftp}[name]
    newcomer = muster.newcomer(f"alice-{name}")
    report.check("temporary password", False, enters(port, newcomer.name, newcomer.password))
    alice = muster.enter(newcomer.name, newcomer.password)
    report.check("password with colon and umlaut", True, enters(port, alice.name, alice.password))
    report.check("wrong password", False, enters(port, alice.name, "a guess"))
    report.check("client address in the audit log", [CLIENT], muster.addresses(alice))
    stranger = muster.user(f"stranger-{name}")
    report.check("user whom the system does not know", False, enters(port, stranger.name, stranger.password))
    report.check("that is no failure of the user of this name", [], muster.addresses(stranger))
    for mode in ["unavailable", "down", "silent"]:
        relay.switch(mode)
        report.check(f"Muster is {mode}", False, enters(port, alice.name, alice.password))
    relay.switch("open")
    report.check("Muster is back", True, enters(port, alice.name, alice.password))
    muster.suspend(alice)
    report.check("next login after the suspension", False, enters(port, alice.name, alice.password))
